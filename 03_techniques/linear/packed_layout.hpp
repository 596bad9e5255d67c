#pragma once
// How the rung `packed` stores quantized weights: panels of 16 rows, interleaved.
//
//   a row-major block                       a panel's block: 16 rows x 32 columns
//   row 0:  scale q0 q1 q2 q3 ... q31       quants    64 bytes: columns 0-3 of row 0, columns 0-3 of row 1,
//   ... row 15 row 1:  ...                                       64 bytes: columns 4-7 of row 0, ...
//                                           scales    16 numbers, one per row
//
// One vector of 64 bytes holds four columns of 16 rows; the four bytes of x that they meet are the same for
// all rows, and the sums of 16 rows lie in the 16 lanes of one register. No sum is ever added across lanes,
// and the whole panel is one stream of memory.
//
// Quants are stored unsigned, as q + offset (places in a table as they are), in up to three planes of bits,
// lowest bits first. A plane of n bits takes n vectors, so a plane begins at the vector whose number is that
// of the bits below it:
//
//   four bits   vector v holds columns 4v.. in its low halves and 16 + 4v.. in its high ones
//   two bits    vector v, bits 2g and 2g + 1 of each byte: columns 16v + 4g..
//   one bit     bit g of each byte: columns 4g..
//
// Quants of 3 bits have a plane of two and one of one, those of 6 bits one of four and one of two. Eight-bit
// quants are stored as they are, signed. Blocks of the K formats are grouped by eight, behind the binary16
// scales that the eight share. The bits per weight are those of the file's format, except that 6-bit scales
// take 8.

#include <array>
#include <cstddef>
#include <cstdint>

#include "core/dtype.hpp"
#include "core/dtype_codebook.hpp"
#include "integers.hpp"
#include "panel_geometry.hpp"

namespace rung::linear {

constexpr int kVectorBytes = 4 * kPanelRows;  // four columns of a panel
constexpr int kColumnGroups = kIntegerBlock / 4;

/// How the scales of a block are stored, and its minima.
enum class Scales {
  binary16,
  bytes,    // small integers, times a binary16 that eight blocks share
  nibbles,  // as `bytes`, of four bits: the low half of a byte is a scale, the high half its minimum
  powers,   // 2^(byte - 128)
};

struct PackedFormat {
  int bits = 0;    // of a quant; 0: this format cannot be packed
  int offset = 0;  // what was added to quants, or to the values that they look up, to make them unsigned
  bool minimum = false;  // w = scale * q + minimum
  int halves = 1;        // scales per 32 columns
  Scales scales = Scales::binary16;
  const std::array<std::int8_t, 16>* table = nullptr;  // what quants are places in; null: they are the values

  constexpr bool k_scales() const { return scales == Scales::bytes || scales == Scales::nibbles; }
  /// Whether kernels multiply signed bytes, for want of an offset that fits.
  constexpr bool has_signed_quants() const { return bits == 8 || (table != nullptr && offset == 0); }
  /// The values of `table` as kernels multiply them.
  constexpr std::array<std::int8_t, 16> values() const {
    std::array<std::int8_t, 16> all{};
    for (std::size_t i = 0; table != nullptr && i < all.size(); ++i) {
      all[i] = static_cast<std::int8_t>((*table)[i] + offset);
    }
    return all;
  }
  /// The largest magnitude that kernels multiply: how many products of two bytes fit into 16 bits.
  constexpr int largest() const {
    if (has_signed_quants()) return 128;
    int found = table == nullptr ? (1 << bits) - 1 : 0;
    for (const int value : values()) found = value > found ? value : found;
    return found;
  }

  constexpr int blocks_per_group() const { return k_scales() ? 8 : 1; }
  /// The shared binary16 numbers before a group: d, and d_min.
  constexpr int header_bytes() const { return k_scales() ? 2 * kPanelRows * (minimum ? 2 : 1) : 0; }
  constexpr int quant_bytes() const { return bits * kPanelRows * kIntegerBlock / 8; }
  constexpr int scale_bytes() const {
    const int each = scales == Scales::binary16 ? 2 : 1;
    return each * kPanelRows * halves * (minimum && scales != Scales::nibbles ? 2 : 1);
  }
  constexpr int block_bytes() const { return quant_bytes() + scale_bytes(); }
  constexpr int group_bytes() const { return header_bytes() + blocks_per_group() * block_bytes(); }
};

constexpr PackedFormat packed_format(DType dtype) {
  switch (dtype) {
    case DType::q8_0:
      return {.bits = 8};
    case DType::q4_0:
      return {.bits = 4, .offset = 8};
    case DType::q4_1:
      return {.bits = 4, .minimum = true};
    case DType::q5_0:
      return {.bits = 5, .offset = 16};
    case DType::q5_1:
      return {.bits = 5, .minimum = true};
    case DType::iq4_nl:
      return {.bits = 4, .table = &kIq4NlValues};
    case DType::mxfp4:
      return {.bits = 4, .offset = 12, .scales = Scales::powers, .table = &kMxfp4Values};
    case DType::q2_k:
      return {.bits = 2, .minimum = true, .halves = 2, .scales = Scales::nibbles};
    case DType::q3_k:
      return {.bits = 3, .offset = 4, .halves = 2, .scales = Scales::bytes};
    case DType::q4_k:
      return {.bits = 4, .minimum = true, .scales = Scales::bytes};
    case DType::q5_k:
      return {.bits = 5, .minimum = true, .scales = Scales::bytes};
    case DType::q6_k:
      return {.bits = 6, .offset = 32, .halves = 2, .scales = Scales::bytes};
    default:
      return {};
  }
}

/// Bytes of `rows` x `cols` weights in panels; the last panel is whole.
constexpr std::int64_t packed_bytes(PackedFormat format, std::int64_t rows, std::int64_t cols) {
  return panel_count(rows) * (cols / kIntegerBlock / format.blocks_per_group()) * format.group_bytes();
}

/// Writes panel `panel` of `weight` [rows, cols] to `to`; rows past the end are zeros.
/// REQUIRES: packed_format(weight.dtype).bits != 0; cols a multiple of the format's block.
void pack_panel(const Tensor& weight, std::int64_t panel, std::byte* to);

}  // namespace rung::linear
