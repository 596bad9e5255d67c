#pragma once
// Keys and values that the cache keeps in fewer bits, back to float32 with vector instructions.
//
// A tile of 64 keys is widened once into memory that stays in the first cache, then used by every row and
// head of the group. What is saved is the reading from main memory; the arithmetic stays float32.

#include <cstddef>
#include <cstdint>

#include "core/dtype.hpp"

namespace rung::attention {

/// to [rows, n] = the numbers of rows that begin `stride` bytes apart: the bits of traits(type).to_float, but
/// a NaN may be another NaN. n is a multiple of the block size and of 4. type: f32, f16, bf16, f8_e4m3, q8_0
/// or mxfp8.
void widen_rows(DType type, const std::byte* from, std::size_t stride, std::int64_t rows, std::int64_t n,
                float* to);

}  // namespace rung::attention
