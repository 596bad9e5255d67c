#pragma once
// The feed-forward block of a mixture of experts (Shazeer et al. 2017, arXiv 1701.06538; Mixtral, Jiang et
// al. 2024, arXiv 2401.04088): a router picks for every token which of the layer's blocks it goes through.
//
// The implementation is simple: it groups the rows by expert, runs each expert on its rows, and adds up the
// results of each token. It is slow for few tokens, when each expert gets only one row.

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "engine/dense_ffn.hpp"
#include "model/model_config.hpp"
#include "seams/device.hpp"
#include "seams/ffn.hpp"
#include "seams/fusion.hpp"
#include "seams/linear.hpp"
#include "seams/ops.hpp"
#include "seams/scratch.hpp"

namespace rung {

/// The experts of every token of a step, and the places of its rows when the rows are grouped by expert. The
/// data is in host memory, which is allocated once. A token's experts and weights depend only on its own
/// logits.
class Routing {
 public:
  Routing(const ModelConfig& model, int max_tokens);

  /// Chooses the experts from logits() [tokens, experts]. If logits are equal, the expert with the lower
  /// number comes first. REQUIRES: tokens <= max_tokens.
  void plan(int tokens);

  std::span<float> logits() { return logits_; }
  /// [tokens, experts_per_token], best expert first.
  std::span<const std::int32_t> experts() const { return used(experts_); }
  std::span<const float> weights() const { return used(weights_); }
  /// [tokens, experts_per_token]: the packed row of each choice.
  std::span<const std::int32_t> places() const { return used(places_); }
  /// [tokens * experts_per_token]: the token of each packed row. Rows of expert e are [begin(e), begin(e +
  /// 1)), in the order of their tokens.
  std::span<const std::int32_t> sources() const { return used(sources_); }
  std::int64_t begin(int expert) const { return begin_[static_cast<std::size_t>(expert)]; }

 private:
  template <class T>
  std::span<const T> used(const std::vector<T>& all) const {
    return {all.data(), rows_};
  }
  void choose(const float* logits, std::int32_t* chosen, float* weights);

  int n_experts_;
  int per_token_;
  bool normalize_;
  std::size_t rows_ = 0;
  std::vector<float> logits_, weights_;
  std::vector<std::int32_t> experts_, places_, sources_;
  std::vector<std::int64_t> begin_, next_;  // [experts + 1], [experts]
  std::vector<char> taken_;                 // [experts]
};

/// Memory that all layers of a mixture share, allocated once for the largest step.
struct MoeWorkspace {
  MoeWorkspace(Device& device, const ModelConfig& model, int max_tokens);
  std::size_t bytes() const;

  Routing routing;
  Tensor logits;   // [max_tokens, experts]
  Tensor packed;   // [max_tokens * experts_per_token, dim], rows grouped by expert
  Tensor sources;  // [1, max_tokens * experts_per_token] i32
  Tensor places;   // [max_tokens, experts_per_token] i32
  Tensor weights;  // [max_tokens, experts_per_token]

 private:
  Tensor take(Device& device, DType dtype, std::int64_t rows, std::int64_t cols);
  std::vector<DeviceBuffer> buffers_;
};

class MoeFfn final : public Ffn {
 public:
  struct Expert {
    std::unique_ptr<Products> gate_up;  // [dim] -> [ffn_dim], includes the activation
    std::unique_ptr<Linear> down;       // [ffn_dim] -> [dim]
  };
  /// The memory between the two halves of an expert comes from `place`. It has max_tokens rows, because no
  /// expert gets a token twice. All layers of a model share `ops`, the device and `work`, which must outlive
  /// this block. REQUIRES: `place` has a device.
  MoeFfn(std::unique_ptr<Linear> router, std::vector<Expert> experts, const ModelConfig& model,
         const Ops& ops, const Workplace& place, MoeWorkspace& work, int max_tokens);

  /// Computes out[t], the sum of weight * expert(x[t]) over the experts of token t, in the order of their
  /// rank. A row of `out` depends only on its row of x, bitwise.
  void run(const Tensor& x, const Tensor& out) override;
  /// Passes the router's logits [tokens, experts] of the last run() to `tap`, with the name "router".
  void show(const Tap& tap, int layer) const override;

  /// Returns whether the first half of every expert is fused.
  bool fused() const;

 private:
  std::unique_ptr<Linear> router_;  // [dim] -> [experts]
  std::vector<Expert> experts_;
  const Ops& ops_;
  Device& device_;
  MoeWorkspace& work_;
  FfnScratch scratch_;
  Tensor logits_;  // of the last run(), in work_
};

}  // namespace rung
