#pragma once
// Seam `fusion`: which neighboring operations of a layer run as one call.
//
// A rung computes products of the same input in one loop: q, k and v, or gate and up with the activation that
// follows them. Where this is not possible, it runs the plain operations one after the other. A rung may also
// replace entries of the ops table: the residual add with the norm that follows it, and RoPE with the write
// to the cache. Which fusions apply depends on the model and on the rung of `linear`, and is known when the
// engine is built.
//
// Thread safety: one call at a time; each uses the threads of its configuration inside. A row's result
// depends on that row alone, bitwise.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/core.h>

#include "core/tensor.hpp"
#include "model/model_config.hpp"
#include "seams/linear.hpp"
#include "seams/ops.hpp"

namespace rung {

struct FusionConfig {
  const Ops* ops = nullptr;  // the plain operations; outlives the Fusion
  const Ops* tile =
      nullptr;  // the same on the calling thread alone; null where the host cannot read the memory
  int threads = 1;
  int max_tokens = 1;  // most rows of one step: scratch memory is taken once for it
  Workplace place = {};
  Activation activation = Activation::silu;

  std::string describe() const {
    return fmt::format("layers on a device whose memory the host {} read",
                       tile != nullptr ? "can" : "cannot");
  }
};

/// One of several products of the same input: W, and what is added to its columns of y.
struct ProductPart {
  std::unique_ptr<Linear> linear;
  std::int64_t width = 0;  // rows of W, columns of y
  Tensor bias;             // [1, width] f32, or empty
};

/// Products of one input.
class Products {
 public:
  virtual ~Products() = default;

  /// x [tokens, n]. y [tokens, the sum of all widths]: part after part, each with its bias. For gate and up:
  /// y [tokens, ffn], the activation included; `wide` [tokens, 2 * ffn] is scratch and may be empty unless
  /// needs_wide().
  virtual void run(const Tensor& x, const Tensor& wide, const Tensor& y) = 0;

  /// Whether all of it is one call, in pieces that a thread finishes while they are in its cache.
  virtual bool fused() const { return false; }
  virtual bool needs_wide() const { return false; }
};

class Fusion {
 public:
  static constexpr std::string_view kSeam = "fusion";
  using Config = FusionConfig;

  virtual ~Fusion() = default;

  /// Products of one input, side by side.
  virtual std::unique_ptr<Products> side_by_side(std::vector<ProductPart> parts) = 0;
  /// The first half of a feed-forward block: act(gate) * up for parts {gate, up}, act(up) for {up}.
  virtual std::unique_ptr<Products> activated(std::vector<ProductPart> parts) = 0;

  /// Replaces the entries of `ops` that this rung fuses. A new entry gives bitwise the same results as the
  /// old one. It keeps copies of the old entries that it needs and does not refer to the Fusion.
  virtual void replace(Ops& /*ops*/) const {}
};

}  // namespace rung
