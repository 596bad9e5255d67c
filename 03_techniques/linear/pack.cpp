// Row-major blocks -> panels (packed_layout.hpp). Done once when a model is loaded.

#include <cstring>

#include "core/dtype_codebook.hpp"
#include "core/dtype_k.hpp"
#include "core/dtype_legacy.hpp"
#include "core/error.hpp"
#include "packed_layout.hpp"

namespace rung::linear {
namespace {

/// The place of row `row` in the panel's block of quants.
struct QuantsOfRow {
  std::uint8_t* block;
  int row;

  std::uint8_t* columns(int vector) const { return block + vector * kVectorBytes + row * 4; }
};

/// Low nibbles of columns 0-15 and high nibbles of 16-31, as the legacy formats pair them: 16 bytes are moved
/// as they are.
void put_nibbles(const std::uint8_t* pairs, QuantsOfRow to) {
  for (int v = 0; v < 4; ++v) std::memcpy(to.columns(v), pairs + 4 * v, 4);
}

void put_nibbles_of(const std::int8_t* q, QuantsOfRow to) {
  std::uint8_t pairs[16];
  for (int i = 0; i < 16; ++i) pairs[i] = static_cast<std::uint8_t>((q[i] & 15) | (q[i + 16] << 4));
  put_nibbles(pairs, to);
}

/// The plane of single bits above `below` others: bit(i) is that of column i.
template <class Bit>
void put_bits(QuantsOfRow to, int below, const Bit& bit) {
  for (int k = 0; k < 4; ++k) {
    int byte = 0;
    for (int g = 0; g < kColumnGroups; ++g) byte |= bit(4 * g + k) << g;
    to.columns(below)[k] = static_cast<std::uint8_t>(byte);
  }
}

/// The plane of two bits above `below` others.
void put_pairs_of(const std::int8_t* q, int below, QuantsOfRow to) {
  for (int v = 0; v < 2; ++v) {
    for (int k = 0; k < 4; ++k) {
      int byte = 0;
      for (int g = 0; g < 4; ++g) byte |= ((q[16 * v + 4 * g + k] >> below) & 3) << (2 * g);
      to.columns(below + v)[k] = static_cast<std::uint8_t>(byte);
    }
  }
}

/// All planes of quants of `bits` bits.
void put_planes_of(const std::int8_t* q, int bits, QuantsOfRow to) {
  if ((bits & 4) != 0) put_nibbles_of(q, to);
  if ((bits & 2) != 0) put_pairs_of(q, bits & 4, to);
  if ((bits & 1) != 0) put_bits(to, bits & 6, [&](int i) { return (q[i] >> (bits & 6)) & 1; });
}

void put16(std::byte* numbers, int row, std::uint16_t value) { std::memcpy(numbers + 2 * row, &value, 2); }
void put8(std::byte* numbers, int row, int value) { numbers[row] = static_cast<std::byte>(value & 255); }

int fifth_bit(const std::uint8_t (&high)[4], int i) { return (high[i / 8] >> (i % 8)) & 1; }

/// One block of 32: scales (and minima) stay as they are.
template <class Block>
void put_block(const Block& from, PackedFormat format, int row, std::byte* to) {
  const QuantsOfRow quants{reinterpret_cast<std::uint8_t*>(to), row};
  std::byte* scales = to + format.quant_bytes();
  if constexpr (requires { from.exponent; }) {
    put8(scales, row, from.exponent);
  } else {
    put16(scales, row, from.scale);
  }
  if constexpr (requires { from.minimum; }) put16(scales + 2 * kPanelRows, row, from.minimum);
  if constexpr (sizeof from.quants == kIntegerBlock) {
    for (int v = 0; v < kColumnGroups; ++v) std::memcpy(quants.columns(v), from.quants + 4 * v, 4);
  } else {
    put_nibbles(from.quants, quants);
  }
  if constexpr (requires { from.high; }) {
    put_bits(quants, 4, [&](int i) { return fifth_bit(from.high, i); });
  }
}

/// A block of 256 becomes a row of a group of eight.
template <class Block>
requires requires(Block block) { block.d; }
void put_block(const Block& from, PackedFormat format, int row, std::byte* to) {
  KIntegers k;
  formats::unpack(from, k);
  put16(to, row, k.d);
  if (format.minimum) put16(to + 2 * kPanelRows, row, k.d_min);
  for (int b = 0; b < format.blocks_per_group(); ++b) {
    std::byte* block = to + format.header_bytes() + b * format.block_bytes();
    const QuantsOfRow quants{reinterpret_cast<std::uint8_t*>(block), row};
    std::int8_t q[kIntegerBlock];
    for (int i = 0; i < kIntegerBlock; ++i) {
      q[i] = static_cast<std::int8_t>(k.quants[b * kIntegerBlock + i] + format.offset);
    }
    put_planes_of(q, format.bits, quants);
    std::byte* scales = block + format.quant_bytes();
    for (int h = 0; h < format.halves; ++h, scales += kPanelRows) {
      const int i = b * format.halves + h;
      put8(scales, row, format.scales == Scales::nibbles ? k.scales[i] | (k.minima[i] << 4) : k.scales[i]);
    }
    if (format.minimum && format.scales == Scales::bytes) put8(scales, row, k.minima[b]);
  }
}

template <class Block>
void pack_rows(const Tensor& weight, std::int64_t panel, std::byte* to) {
  const PackedFormat format = packed_format(weight.dtype);
  const std::int64_t first = panel * kPanelRows;
  for (int r = 0; r < kPanelRows && first + r < weight.rows; ++r) {
    const auto* blocks = static_cast<const Block*>(weight.row(first + r));
    for (std::int64_t b = 0; b < weight.cols / Block::kElements; ++b) {
      put_block(blocks[b], format, r, to + b * format.group_bytes());
    }
  }
}

}  // namespace

void pack_panel(const Tensor& weight, std::int64_t panel, std::byte* to) {
  if (weight.rows - panel * kPanelRows < kPanelRows) {  // every byte of a full panel is written below
    std::memset(to, 0,
                static_cast<std::size_t>(packed_bytes(packed_format(weight.dtype), kPanelRows, weight.cols)));
  }
  switch (weight.dtype) {
    case DType::q8_0:
      return pack_rows<BlockQ8_0>(weight, panel, to);
    case DType::q4_0:
      return pack_rows<BlockQ4_0>(weight, panel, to);
    case DType::q4_1:
      return pack_rows<BlockQ4_1>(weight, panel, to);
    case DType::q5_0:
      return pack_rows<BlockQ5_0>(weight, panel, to);
    case DType::q5_1:
      return pack_rows<BlockQ5_1>(weight, panel, to);
    case DType::iq4_nl:
      return pack_rows<BlockIq4Nl>(weight, panel, to);
    case DType::mxfp4:
      return pack_rows<BlockMxfp4>(weight, panel, to);
    case DType::q2_k:
      return pack_rows<BlockQ2K>(weight, panel, to);
    case DType::q3_k:
      return pack_rows<BlockQ3K>(weight, panel, to);
    case DType::q4_k:
      return pack_rows<BlockQ4K>(weight, panel, to);
    case DType::q5_k:
      return pack_rows<BlockQ5K>(weight, panel, to);
    case DType::q6_k:
      return pack_rows<BlockQ6K>(weight, panel, to);
    default:
      fail("{} cannot be packed", traits(weight.dtype).name);
  }
}

}  // namespace rung::linear
