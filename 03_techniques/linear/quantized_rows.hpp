#pragma once
// Rows of x rounded to 8 bits, 32 columns at a time: what the integer rungs multiply.
//
// x[i] is about scale * quant[i] with scale = max|x| / 127 over its 32 columns, so it is off by at most scale
// / 2. llama.cpp rounds x in the same way (its Q8_0). A row comes out the same whatever stands beside it, on
// every processor: each element is computed alone, and whole numbers are added exactly.

#include <cstdint>

#include "core/tensor.hpp"
#include "integers.hpp"
#include "seams/linear.hpp"

namespace rung::linear {

/// What a kernel wants besides the quants and their scales, and how many tokens it takes at a time.
struct RowLayout {
  int halves = 1;  // sums over 32 columns, or (2) over 16
  int offset = 0;  // when not 0: starts() is filled, for weights stored as q + offset; else scaled_sums()
  int tile = 1;    // tokens whose blocks lie side by side
};

/// Tokens [first, first + n) stand together, n = tile or what is left of all: the functions below take
/// `first`, a multiple of tile, and show n tokens block by block, so that a kernel finds them at fixed
/// distances.
class QuantizedRows : public PreparedRows {
 public:
  /// Requests memory for config.max_tokens rows of x, for layouts with this number of `halves`.
  QuantizedRows(const LinearConfig& config, int halves);

  /// Rounds x [tokens, cols] f32. Not thread-safe, but uses `threads` threads inside. A block with a NaN or
  /// an infinity gets NaN as its scale, so that y becomes NaN too. REQUIRES: cols is a multiple of 32; tokens
  /// <= max_tokens; layout.halves equals the constructor's `halves`.
  void assign(const Tensor& x, RowLayout layout, int threads);

  std::int64_t tokens() const { return tokens_; }
  std::int64_t blocks() const { return blocks_; }  // of 32 columns

  /// [blocks, n, 32], all from -127 to 127 (where the scale is a number).
  const std::int8_t* quants(std::int64_t first) const { return quants_ + first * blocks_ * kIntegerBlock; }
  /// [blocks, n]
  const float* scales(std::int64_t first) const { return scales_ + first * blocks_; }
  /// [blocks, n, halves]: -offset * (sum of the quants), what a sum over q + offset has too much.
  const std::int32_t* starts(std::int64_t first) const { return starts_ + first * blocks_ * layout_.halves; }
  /// [blocks, n, halves]: scale * (sum of the quants), what a weight's minimum is multiplied with.
  const float* scaled_sums(std::int64_t first) const {
    return scaled_sums_ + first * blocks_ * layout_.halves;
  }

 private:
  static std::size_t bytes_for(std::int64_t blocks, int halves) {
    const std::size_t of_block =
        kIntegerBlock + sizeof(float) + static_cast<std::size_t>(halves) * sizeof(float);
    return static_cast<std::size_t>(blocks) * of_block;
  }

  std::int64_t tokens_ = 0, blocks_ = 0;
  RowLayout layout_;
  ScratchMemory memory_;  // the arrays below, one after the other, sized for the tokens of the last x
  std::int8_t* quants_ = nullptr;
  float* scales_ = nullptr;
  std::int32_t* starts_ = nullptr;  // used if the layout has an offset; otherwise scaled_sums_ is used
  float* scaled_sums_ = nullptr;
};

}  // namespace rung::linear
