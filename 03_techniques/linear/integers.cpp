#include "integers.hpp"

#include <array>

#include "core/dtype_codebook.hpp"
#include "core/dtype_k.hpp"
#include "core/dtype_legacy.hpp"
#include "core/error.hpp"

namespace rung::linear {
namespace {

constexpr int kHalf = kIntegerBlock / 2;

void set_scale(IntegerBlock& to, float scale, float minimum = 0.0f) {
  to.scale[0] = to.scale[1] = scale;
  to.minimum[0] = to.minimum[1] = minimum;
}

/// Element i is the low half of byte i, element i + 16 the high one.
template <class Value>
void read_nibbles(const std::uint8_t* quants, IntegerBlock& to, const Value& value) {
  for (int i = 0; i < kHalf; ++i) {
    to.quants[i] = static_cast<std::int8_t>(value(quants[i] & 15, i));
    to.quants[i + kHalf] = static_cast<std::int8_t>(value(quants[i] >> 4, i + kHalf));
  }
}

int fifth_bit(const std::uint8_t (&high)[4], int i) { return ((high[i / 8] >> (i % 8)) & 1) << 4; }

void read(const BlockQ8_0& from, IntegerBlock* to) {
  set_scale(*to, f16_to_f32(from.scale));
  for (int i = 0; i < kIntegerBlock; ++i) to->quants[i] = from.quants[i];
}
void read(const BlockQ4_0& from, IntegerBlock* to) {
  set_scale(*to, f16_to_f32(from.scale));
  read_nibbles(from.quants, *to, [](int q, int) { return q - 8; });
}
void read(const BlockQ4_1& from, IntegerBlock* to) {
  set_scale(*to, f16_to_f32(from.scale), f16_to_f32(from.minimum));
  read_nibbles(from.quants, *to, [](int q, int) { return q; });
}
void read(const BlockQ5_0& from, IntegerBlock* to) {
  set_scale(*to, f16_to_f32(from.scale));
  read_nibbles(from.quants, *to, [&](int q, int i) { return (q | fifth_bit(from.high, i)) - 16; });
}
void read(const BlockQ5_1& from, IntegerBlock* to) {
  set_scale(*to, f16_to_f32(from.scale), f16_to_f32(from.minimum));
  read_nibbles(from.quants, *to, [&](int q, int i) { return q | fifth_bit(from.high, i); });
}
void read(const BlockIq4Nl& from, IntegerBlock* to) {
  set_scale(*to, f16_to_f32(from.scale));
  read_nibbles(from.quants, *to, [](int q, int) { return kIq4NlValues[static_cast<std::size_t>(q)]; });
}
void read(const BlockMxfp4& from, IntegerBlock* to) {
  set_scale(*to, formats::mxfp4_scale(from.exponent));
  read_nibbles(from.quants, *to, [](int q, int) { return kMxfp4Values[static_cast<std::size_t>(q)]; });
}

/// The K formats: scale and minimum of a sub-block are products of small integers and a binary16, exact in
/// float32.
template <class Block>
void read(const Block& from, IntegerBlock* to) {
  constexpr bool kHalves = sizeof(Block) == sizeof(BlockQ2K) || sizeof(Block) == sizeof(BlockQ3K) ||
                           sizeof(Block) == sizeof(BlockQ6K);
  KIntegers k;
  formats::unpack(from, k);
  const float d = f16_to_f32(k.d), d_min = f16_to_f32(k.d_min);
  for (int b = 0; b < kKElements / kIntegerBlock; ++b) {
    for (int i = 0; i < kIntegerBlock; ++i) to[b].quants[i] = k.quants[b * kIntegerBlock + i];
    for (int h = 0; h < 2; ++h) {
      const int sub = kHalves ? 2 * b + h : b;
      to[b].scale[h] = d * static_cast<float>(k.scales[sub]);
      to[b].minimum[h] = -(d_min * static_cast<float>(k.minima[sub]));
    }
  }
}

template <class Block>
void read_row(const void* row, std::int64_t cols, IntegerBlock* to) {
  const auto* blocks = static_cast<const Block*>(row);
  for (std::int64_t b = 0; b < cols / Block::kElements; ++b) {
    read(blocks[b], to + b * (Block::kElements / kIntegerBlock));
  }
}

}  // namespace

bool has_integers(DType dtype) {
  return traits(dtype).block_elements > 1 && traits(dtype).to_float != nullptr && dtype != DType::mxfp8;
}

int scales_per_block(DType dtype) {
  return dtype == DType::q2_k || dtype == DType::q3_k || dtype == DType::q6_k ? 2 : 1;
}

bool has_minimum(DType dtype) {
  return dtype == DType::q4_1 || dtype == DType::q5_1 || dtype == DType::q2_k || dtype == DType::q4_k ||
         dtype == DType::q5_k;
}

void read_integers(DType dtype, const void* row, std::int64_t cols, IntegerBlock* to) {
  switch (dtype) {
    case DType::q8_0:
      return read_row<BlockQ8_0>(row, cols, to);
    case DType::q4_0:
      return read_row<BlockQ4_0>(row, cols, to);
    case DType::q4_1:
      return read_row<BlockQ4_1>(row, cols, to);
    case DType::q5_0:
      return read_row<BlockQ5_0>(row, cols, to);
    case DType::q5_1:
      return read_row<BlockQ5_1>(row, cols, to);
    case DType::q2_k:
      return read_row<BlockQ2K>(row, cols, to);
    case DType::q3_k:
      return read_row<BlockQ3K>(row, cols, to);
    case DType::q4_k:
      return read_row<BlockQ4K>(row, cols, to);
    case DType::q5_k:
      return read_row<BlockQ5K>(row, cols, to);
    case DType::q6_k:
      return read_row<BlockQ6K>(row, cols, to);
    case DType::iq4_nl:
      return read_row<BlockIq4Nl>(row, cols, to);
    case DType::mxfp4:
      return read_row<BlockMxfp4>(row, cols, to);
    default:
      fail("{} has no integers", traits(dtype).name);
  }
}

}  // namespace rung::linear
