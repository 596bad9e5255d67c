#pragma once
// The feed-forward block of a mixture of experts (Shazeer et al. 2017, arXiv 1701.06538; Mixtral, Jiang et
// al. 2024, arXiv 2401.04088): a router picks for every token which of the layer's blocks it goes through.
//
// It is plain: the rows of each expert are put together, go through its products like any other rows, and
// are added up per token. What it is not: fast for few tokens, where each expert gets one row.

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

/// Which experts every token of a step goes to, and where its rows lie when they are grouped by expert.
/// Host memory, taken once. A token's choice and weights depend on its own logits alone.
class Routing {
 public:
  Routing(const ModelConfig& model, int max_tokens);

  /// Reads logits() [tokens, experts]. Among equal logits the lower expert comes first.
  /// REQUIRES: tokens <= max_tokens.
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

/// What all layers of a mixture compute in, taken once for the largest step.
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
    std::unique_ptr<Products> gate_up;  // [dim] -> [ffn_dim], the activation included
    std::unique_ptr<Linear> down;       // [ffn_dim] -> [dim]
  };
  /// Memory between the halves of an expert comes from `place`: no expert sees a token twice, so max_tokens
  /// rows are enough. `ops`, the device and `work`, which all layers of a model share, outlive this.
  /// REQUIRES: `place` has a device.
  MoeFfn(std::unique_ptr<Linear> router, std::vector<Expert> experts, const ModelConfig& model,
         const Ops& ops, const Workplace& place, MoeWorkspace& work, int max_tokens);

  /// out[t] = sum over the experts of token t of weight * expert(x[t]), in the order of their rank: a row of
  /// `out` depends on its row of x alone, bitwise.
  void run(const Tensor& x, const Tensor& out) override;
  /// "router": the logits [tokens, experts] of the last run().
  void show(const Tap& tap, int layer) const override;

  /// Whether the first half of every expert is one call.
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
