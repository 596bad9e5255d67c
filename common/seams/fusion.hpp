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
  const Ops* ops = nullptr;   // the plain operations; outlives the Fusion
  const Ops* tile = nullptr;  // the same on the calling thread alone; null if the host cannot read the memory
  int threads = 1;
  int max_tokens = 1;  // largest number of rows in a step; determines the size of the scratch memory
  Workplace place = {};
  Activation activation = Activation::silu;

  std::string describe() const {
    return fmt::format("layers on a device whose memory the host {} read",
                       tile != nullptr ? "can" : "cannot");
  }
};

/// One of several products of the same input: its weight W and its bias.
struct ProductPart {
  std::unique_ptr<Linear> linear;
  std::int64_t width = 0;  // rows of W, columns of y
  Tensor bias;             // [1, width] f32, or empty
};

/// Several products of one input, computed in one call.
class Products {
 public:
  virtual ~Products() = default;

  /// Computes y from x [tokens, n]. Products made by side_by_side() write y [tokens, sum of all widths], one
  /// part after the other, each with its bias. Products made by activated() write y [tokens, ffn], to which
  /// the activation is already applied. `wide` [tokens, 2 * ffn] is scratch memory and may be empty unless
  /// needs_wide() is true.
  virtual void run(const Tensor& x, const Tensor& wide, const Tensor& y) = 0;

  /// Returns whether everything runs in one loop over pieces, in which a thread finishes each piece while it
  /// is in the thread's cache.
  virtual bool fused() const { return false; }
  /// Returns whether run() needs `wide`.
  virtual bool needs_wide() const { return false; }
};

class Fusion {
 public:
  static constexpr std::string_view kSeam = "fusion";
  using Config = FusionConfig;

  virtual ~Fusion() = default;

  /// Returns products of one input whose results are stored side by side.
  virtual std::unique_ptr<Products> side_by_side(std::vector<ProductPart> parts) = 0;
  /// Returns the first half of a feed-forward block: act(gate) * up for parts {gate, up}, act(up) for {up}.
  virtual std::unique_ptr<Products> activated(std::vector<ProductPart> parts) = 0;

  /// Replaces the entries of `ops` that this rung fuses. A new entry gives bitwise the same results as the
  /// old one. It keeps copies of the old entries that it needs and does not refer to the Fusion.
  virtual void replace(Ops& /*ops*/) const {}
};

}  // namespace rung
