#pragma once
// What bf16_dot.cpp hands to its kernels, which are compiled once per instruction set.

#include <cstdint>

#include "core/tensor.hpp"
#include "panel_geometry.hpp"
#include "thread_memory.hpp"

namespace rung::linear {

/// x rounded to bfloat16, two columns at a time, in tiles of a few tokens: what one pair of columns has for
/// them lies side by side. One word per pair and step; bf16_dot_isa-*.h say what a word is.
class PairedRows {
 public:
  /// Requests memory for config.max_tokens rows of x. If `steps` is 1, a word is a pair with the even column
  /// in its low half. If `steps` is 2, there are two words per pair: the odd column as float32, then the even
  /// one.
  PairedRows(const LinearConfig& config, int steps);

  /// Rounds x [tokens, cols] f32 to the nearest bfloat16, ties to even. Uses `threads` threads inside. Each
  /// thread uses row_bytes(cols) of its part of `memory`. REQUIRES: tokens <= max_tokens.
  void assign(const Tensor& x, int tile, int threads, const ThreadMemory& memory);
  static std::size_t row_bytes(std::int64_t cols) {
    return static_cast<std::size_t>((cols + 1) / 2) * sizeof(std::uint32_t);
  }

  std::int64_t tokens() const { return tokens_; }
  /// [pairs, n, steps] of tokens [first, first + n), n = tile or what is left. REQUIRES: first is a multiple
  /// of tile.
  const std::uint32_t* words(std::int64_t first) const { return words() + first * row_words_; }

 private:
  std::uint32_t* words() const { return static_cast<std::uint32_t*>(memory_.data()); }

  int steps_;
  std::int64_t tokens_ = 0, row_words_;
  ScratchMemory memory_;
};

/// Panels [begin, end) of W times all tokens.
struct Bf16Task {
  const std::uint32_t* panels;  // [panels, pairs, kPanelRows], each a pair of columns of one row
  std::int64_t rows, pairs;     // of W
  const PairedRows* x;
  Tensor y;  // [tokens, rows]
  std::int64_t begin, end;
  float* sums;  // the calling thread's memory: [tokens of a block, rows of these panels]
};

/// One instruction set.
struct Bf16Kernels {
  void (*run)(const Bf16Task& task);
  int tile, steps;            // how x must be laid out
  std::int64_t block_tokens;  // how many tokens' sums a thread's memory holds at a time
};

}  // namespace rung::linear
