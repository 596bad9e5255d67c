#pragma once
// What panels.cpp hands to its kernels, which are compiled once per instruction set.

#include <cstddef>
#include <cstdint>

#include "core/tensor.hpp"
#include "panel_geometry.hpp"
#include "seams/linear.hpp"

namespace rung::linear {

/// x in tiles of a few tokens: the values that one column has for them are neighbors.
class TiledRows : public PreparedRows {
 public:
  /// Requests memory for config.max_tokens rows of x.
  explicit TiledRows(const LinearConfig& config);

  /// Copies x [tokens, cols] f32; uses `threads` threads inside. REQUIRES: tokens <= max_tokens.
  void assign(const Tensor& x, int tile, int threads);

  std::int64_t tokens() const { return tokens_; }
  /// [cols, n] of tokens [first, first + n), n = tile or what is left of all. REQUIRES: first is a multiple
  /// of tile.
  const float* values(std::int64_t first) const { return values() + first * cols_; }

 private:
  float* values() const { return static_cast<float*>(memory_.data()); }

  std::int64_t tokens_ = 0, cols_;
  ScratchMemory memory_;
};

/// Panels [begin, end) of W times all tokens.
struct PanelTask {
  DType dtype;              // f32, f16, bf16
  const std::byte* panels;  // [panels, cols, kPanelRows]
  std::int64_t rows, cols;  // of W
  const TiledRows* x;
  Tensor y;  // [tokens, rows]
  std::int64_t begin, end;
  float* sums;  // the calling thread's memory: [tokens of a block, rows of these panels]
};

}  // namespace rung::linear
