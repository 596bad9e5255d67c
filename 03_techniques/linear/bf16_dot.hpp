#pragma once
// What bf16_dot.cpp hands to its kernels, which are compiled once per instruction set.

#include <cstdint>
#include <vector>

#include "core/tensor.hpp"
#include "packed_layout.hpp"

namespace rung::linear {

/// x rounded to bfloat16, two columns at a time, in tiles of a few tokens: what one pair of columns has for
/// them lies side by side. One word per pair and step; bf16_dot_isa-*.h say what a word is.
class PairedRows {
 public:
  /// Rounds x [tokens, cols] f32 to the nearest bfloat16, ties to even. `steps` 1: a word is a pair, the even
  /// column in its low half; 2: the odd column as float32, then the even one. Uses `threads` threads inside.
  void assign(const Tensor& x, int tile, int steps, int threads);

  std::int64_t tokens() const { return tokens_; }
  /// [pairs, n, steps] of tokens [first, first + n), n = tile or what is left. REQUIRES: first is a multiple
  /// of tile.
  const std::uint32_t* words(std::int64_t first) const { return words_.data() + first * row_words_; }

 private:
  std::int64_t tokens_ = 0, row_words_ = 0;
  std::vector<std::uint32_t> words_;
};

/// Panels [begin, end) of W times all tokens.
struct Bf16Task {
  const std::uint32_t* panels;  // [panels, pairs, kPanelRows], each a pair of columns of one row
  std::int64_t rows, pairs;     // of W
  const PairedRows* x;
  Tensor y;  // [tokens, rows]
  std::int64_t begin, end;
};

/// One instruction set.
struct Bf16Kernels {
  void (*run)(const Bf16Task& task);
  int tile, steps;  // how x must be laid out
};

}  // namespace rung::linear
