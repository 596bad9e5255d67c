#pragma once
// The number formats in which a tensor can be stored, as one table.
//
// A format is a row of that table (dtype.cpp). The row has the format's name, the number of elements and of
// bytes in a block, and two plain conversions. These conversions define the format, and every faster kernel
// is compared with them. Each family of formats has its own header with the layout of its blocks:
// dtype_plain.hpp, dtype_legacy.hpp, dtype_k.hpp, dtype_codebook.hpp.

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace rung {

enum class DType : std::uint8_t {
  // Plain numbers.
  f32,
  f16,
  bf16,
  f8_e4m3,
  // Blocks of 32 with one scale.
  q8_0,
  q4_0,
  q4_1,
  q5_0,
  q5_1,
  // Blocks of 256 whose scales are quantized too.
  q2_k,
  q3_k,
  q4_k,
  q5_k,
  q6_k,
  // Blocks of 32 whose quants are indices into a table of values.
  iq4_nl,
  mxfp4,
  mxfp8,  // blocks of 32 f8_e4m3 and a power of two
  // Indices, not weights.
  i32,
};
inline constexpr int kDTypeCount = 18;

struct DTypeTraits {
  std::string_view name;  // as users write it: "f32", "q8_0"
  int block_elements;     // elements that share one block (1 for plain numbers)
  int block_bytes;
  int alignment;  // a tensor can be read in place if its address is a multiple of this
  // Both convert n elements, where n is a multiple of block_elements. Both are null for i32. from_float
  // accepts finite numbers; block formats can store at least +-65504.
  void (*to_float)(const void* from, float* to, std::int64_t n);
  void (*from_float)(const float* from, void* to, std::int64_t n);
};

/// Returns the row of the table for `type`.
const DTypeTraits& traits(DType type);

/// Returns the format of weights called `name`. Throws UsageError that lists the known formats if there is
/// none.
DType dtype_from_name(std::string_view name);

/// Returns the bytes of `n` elements. REQUIRES: n is a multiple of the block size.
std::size_t bytes_of(DType type, std::int64_t n);

/// Converts IEEE binary16 and bfloat16 to and from binary32. Rounds to nearest, ties to even.
float f16_to_f32(std::uint16_t half);
std::uint16_t f32_to_f16(float value);
float bf16_to_f32(std::uint16_t brain);
std::uint16_t f32_to_bf16(float value);

}  // namespace rung
