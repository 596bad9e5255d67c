#pragma once
// Seam `fusion`: which neighbouring operations of a layer run as one call.
//
// The forward pass asks for four steps that join neighbours: the products of one input (q, k and v), gate and
// up with the activation behind them, the residual add with the norm behind it, RoPE with the write to the
// cache. A rung does each in one sweep or, where that is not possible, as the plain operations one after the
// other. Which of them it is depends on the model and the rung of `linear` and is known when the engine is
// built.
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
#include "model/weights.hpp"
#include "seams/kv_cache.hpp"
#include "seams/linear.hpp"
#include "seams/ops.hpp"

namespace rung {

struct FusionConfig {
  const Ops* ops = nullptr;  // the plain operations; outlives the Fusion
  const Ops* tile =
      nullptr;  // the same on the calling thread alone; null where the host cannot read the memory
  int threads = 1;
  int max_tokens = 1;  // most rows of one step: scratch memory is taken once for it
  NormKind norm = NormKind::rms;
  float norm_eps = 1e-5f;
  float residual_scale = 1;
  Activation activation = Activation::silu;

  std::string describe() const {
    return fmt::format("layers with {} norms on a device whose memory the host {} read",
                       norm == NormKind::rms ? "RMS" : "layer", tile != nullptr ? "can" : "cannot");
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

  /// x += residual_scale * out; then the norm of x, written to `to`. Returns `to`, or x where `norm` is
  /// empty. x, out, to [tokens, dim]; norm [1, dim].
  virtual Tensor add_norm(const Tensor& out, const Tensor& x, const Weight& norm, const Tensor& to) const = 0;
  virtual bool fuses_add(const Weight& norm) const = 0;

  /// Rotates q in place and writes the rotated k, and v, to their slots; k is left undefined. q [tokens,
  /// heads * head_dim], k and v [tokens, kv_heads * head_dim]; positions and slots [1, tokens] i32; rope may
  /// be null.
  virtual void rope_store(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& positions,
                          const RopeTables* rope, const Tensor& slots, const KvView& kv) const = 0;
  virtual bool fuses_rope(const RopeTables* rope) const = 0;

  /// Memory that the products made so far compute in.
  virtual std::size_t scratch_bytes() const = 0;
};

}  // namespace rung
