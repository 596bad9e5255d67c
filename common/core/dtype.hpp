#pragma once
// The number formats a tensor can be stored in, as one table.
//
// A format is a row of that table: its name, how many elements form a block, how many bytes a block
// takes, and two plain conversions. These conversions are the definition that every faster kernel is
// judged against; a new format is a new row and nothing else in this file.
//
// Block layouts follow GGML (github.com/ggml-org/ggml, ggml-common.h), so that GGUF files are used
// as they lie on disk.

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace rung {

enum class DType : std::uint8_t { f32, f16, bf16, q8_0, q4_0, i32 };
inline constexpr int kDTypeCount = 6;

struct DTypeTraits {
  std::string_view name;  // as users write it: "f32", "q8_0"
  int block_elements;     // elements that share one block (1 for plain numbers)
  int block_bytes;
  // Both convert n elements; n is a multiple of block_elements. Null where it makes no sense (i32).
  void (*to_float)(const void* from, float* to, std::int64_t n);
  void (*from_float)(const float* from, void* to, std::int64_t n);
};

/// The row of the table for `type`.
const DTypeTraits& traits(DType type);

/// Looks a format up by name; throws UsageError that lists the known ones.
DType dtype_from_name(std::string_view name);

/// Bytes of `n` elements. REQUIRES: n is a multiple of the block size.
std::size_t bytes_of(DType type, std::int64_t n);

/// Q8_0: 32 weights share one half-precision scale. weight = scale * quant.
struct BlockQ8_0 {
  static constexpr int kElements = 32;
  std::uint16_t scale;  // binary16
  std::int8_t quants[kElements];
};
static_assert(sizeof(BlockQ8_0) == 34);

/// Q4_0: 32 weights in 16 bytes. weight = scale * (nibble - 8); the low nibbles hold elements 0..15,
/// the high nibbles elements 16..31.
struct BlockQ4_0 {
  static constexpr int kElements = 32;
  std::uint16_t scale;  // binary16
  std::uint8_t quants[kElements / 2];
};
static_assert(sizeof(BlockQ4_0) == 18);

/// IEEE binary16 and bfloat16 to and from binary32; rounding is to nearest, ties to even.
float f16_to_f32(std::uint16_t half);
std::uint16_t f32_to_f16(float value);
float bf16_to_f32(std::uint16_t brain);
std::uint16_t f32_to_bf16(float value);

}  // namespace rung
