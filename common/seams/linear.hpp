#pragma once
// Seam `linear`: y = x W^T, the product that takes nearly all of a model's weights and time.
//
// W is stored [out, in], row after row, in whatever format the file has; a rung is chosen per weight.
// A row of y depends on its row of x alone, bitwise: the order of the sum is fixed by `in`.
//
// Thread safety: one apply() at a time; it uses `threads` threads inside.

#include <string>
#include <string_view>

#include <fmt/core.h>

#include "core/tensor.hpp"

namespace rung {

class PackedStore;

struct LinearConfig {
  Tensor weight;  // [out, in]; not owned, outlives the Linear
  int threads = 1;
  int max_tokens = 1;  // most rows apply() will see: scratch memory is taken once for it
  PackedStore* store =
      nullptr;  // keeps copies in another layout (packed_store.hpp); not owned, outlives this

  std::string describe() const {
    return fmt::format("a linear layer [{} -> {}] in {}", weight.cols, weight.rows,
                       traits(weight.dtype).name);
  }
};

/// What a rung multiplies the weights with.
enum class Activations {
  f32,   // x as it is
  bf16,  // x rounded to bfloat16: for weights that are
  int8,  // x rounded to 8 bits with one scale for 32 columns: for quantised weights, which are coarser
};

class Linear {
 public:
  static constexpr std::string_view kSeam = "linear";
  using Config = LinearConfig;

  virtual ~Linear() = default;

  /// x [tokens, in] f32, y [tokens, out] f32; rows of both may be strided. tokens may be 0.
  virtual void apply(const Tensor& x, const Tensor& y) = 0;

  virtual Activations activations() const { return Activations::f32; }

  /// Bytes of this rung's copy of the weight in another layout.
  virtual std::size_t packed_bytes() const { return 0; }
};

}  // namespace rung
