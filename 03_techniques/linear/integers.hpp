#pragma once
// Quantized weights as what they are: integers with a scale, 32 columns at a time.
//
// Every block format of GGUF says w = scale * q + minimum with small whole numbers q; they differ in where
// the bits of q lie and in how the scales are stored. A product in integers needs only the parts, so this is
// the one place of the topic that takes all of those layouts apart. (core/dtype.hpp defines w; the test
// compares.)

#include <cstdint>

#include "core/tensor.hpp"

namespace rung::linear {

constexpr int kIntegerBlock = 32;  // columns that share one scale of x, and of w in most formats

/// 32 columns of one row. w[i] = scale[i / 16] * quants[i] + minimum[i / 16], exactly what the format
/// defines.
struct IntegerBlock {
  std::int8_t quants[kIntegerBlock];
  float scale[2];    // equal in formats with one scale per 32
  float minimum[2];  // 0 in formats without
};

/// Whether a format is made of integers and scales: all block formats but MXFP8, no plain numbers.
bool has_integers(DType dtype);

/// 2 where the two halves of 32 columns have scales of their own (q2_k, q3_k, q6_k), else 1.
int scales_per_block(DType dtype);

/// Whether w has a minimum besides its scale.
bool has_minimum(DType dtype);

/// Takes `cols` columns of a row apart. to [cols / 32]. REQUIRES: has_integers(dtype), cols a multiple of its
/// block.
void read_integers(DType dtype, const void* row, std::int64_t cols, IntegerBlock* to);

}  // namespace rung::linear
