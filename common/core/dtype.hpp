#pragma once
// The number formats a tensor can be stored in, as one table.
//
// A format is a row of that table (dtype.cpp): its name, how many elements form a block, how many bytes a
// block takes, and two plain conversions. These conversions are the definition that every faster kernel is
// judged against. Families of formats have a header each, with the layout of their blocks:
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
  // Blocks of 256 whose scales are quantised too.
  q2_k,
  q3_k,
  q4_k,
  q5_k,
  q6_k,
  // Blocks of 32 whose quants look up a value.
  iq4_nl,
  mxfp4,
  mxfp8,  // blocks of 32 f8_e4m3 and a power of two
  // Indices, no weights.
  i32,
};
inline constexpr int kDTypeCount = 18;

struct DTypeTraits {
  std::string_view name;  // as users write it: "f32", "q8_0"
  int block_elements;     // elements that share one block (1 for plain numbers)
  int block_bytes;
  int alignment;  // what the address of a tensor must be a multiple of to be read in place
  // Both convert n elements; n is a multiple of block_elements. Null where it makes no sense (i32).
  // from_float takes finite numbers; block formats hold at least +-65504.
  void (*to_float)(const void* from, float* to, std::int64_t n);
  void (*from_float)(const float* from, void* to, std::int64_t n);
};

/// The row of the table for `type`.
const DTypeTraits& traits(DType type);

/// Looks a format up by name; throws UsageError that lists the known ones.
DType dtype_from_name(std::string_view name);

/// Bytes of `n` elements. REQUIRES: n is a multiple of the block size.
std::size_t bytes_of(DType type, std::int64_t n);

/// IEEE binary16 and bfloat16 to and from binary32; rounding is to nearest, ties to even.
float f16_to_f32(std::uint16_t half);
std::uint16_t f32_to_f16(float value);
float bf16_to_f32(std::uint16_t brain);
std::uint16_t f32_to_bf16(float value);

}  // namespace rung
