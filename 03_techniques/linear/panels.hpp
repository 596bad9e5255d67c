#pragma once
// What panels.cpp hands to its kernels, which are compiled once per instruction set.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/tensor.hpp"
#include "packed_layout.hpp"
#include "seams/linear.hpp"

namespace rung::linear {

/// x in tiles of a few tokens: the values that one column has for them are neighbours.
class TiledRows : public PreparedRows {
 public:
  /// Copies x [tokens, cols] f32. Grows to the largest x it has seen; uses `threads` threads inside.
  void assign(const Tensor& x, int tile, int threads);

  std::int64_t tokens() const { return tokens_; }
  /// [cols, n] of tokens [first, first + n), n = tile or what is left of all. REQUIRES: first is a multiple
  /// of tile.
  const float* values(std::int64_t first) const { return values_.data() + first * cols_; }

 private:
  std::int64_t tokens_ = 0, cols_ = 0;
  std::vector<float> values_;
};

/// One for the calling thread, shared by all layers.
TiledRows& tiles_of_this_thread();

/// Panels [begin, end) of W times all tokens.
struct PanelTask {
  DType dtype;              // f32, f16, bf16
  const std::byte* panels;  // [panels, cols, kPanelRows]
  std::int64_t rows, cols;  // of W
  const TiledRows* x;
  Tensor y;  // [tokens, rows]
  std::int64_t begin, end;
};

}  // namespace rung::linear
