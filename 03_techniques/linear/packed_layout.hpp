#pragma once
// How the rung `packed` stores quantised weights: panels of 16 rows, interleaved.
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
// Quants are stored unsigned, as q + offset, in planes of bits: first the low four bits of all (vector v
// holds columns 4v.. in its low halves and 16 + 4v.. in its high ones), then one plane of fifth bits, or two
// planes of fifth and sixth. Eight-bit quants are stored as they are, signed. Blocks of the K formats are
// grouped by eight, behind the binary16 scales that the eight share. The bits per weight are those of the
// file's format, except that 6-bit scales take 8.

#include <cstddef>
#include <cstdint>

#include "core/dtype.hpp"
#include "integers.hpp"

namespace rung::linear {

constexpr int kPanelRows = 16;
constexpr int kVectorBytes = 4 * kPanelRows;  // four columns of a panel
constexpr int kColumnGroups = kIntegerBlock / 4;

struct PackedFormat {
  int bits = 0;           // of a quant; 0: this format cannot be packed
  int offset = 0;         // what was added to make quants unsigned
  bool minimum = false;   // w = scale * q + minimum
  int halves = 1;         // scales per 32 columns
  bool k_scales = false;  // scales are small integers times a binary16 that eight blocks share
  bool table = false;     // quants are places in kIq4NlValues

  constexpr int blocks_per_group() const { return k_scales ? 8 : 1; }
  /// The shared binary16 numbers before a group: d, and d_min.
  constexpr int header_bytes() const { return k_scales ? 2 * kPanelRows * (minimum ? 2 : 1) : 0; }
  constexpr int quant_bytes() const { return bits * kPanelRows * kIntegerBlock / 8; }
  constexpr int scale_bytes() const { return (k_scales ? 1 : 2) * kPanelRows * halves * (minimum ? 2 : 1); }
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
      return {.bits = 4, .table = true};
    case DType::q4_k:
      return {.bits = 4, .minimum = true, .k_scales = true};
    case DType::q5_k:
      return {.bits = 5, .minimum = true, .k_scales = true};
    case DType::q6_k:
      return {.bits = 6, .offset = 32, .halves = 2, .k_scales = true};
    default:
      return {};
  }
}

/// How many panels hold `rows` rows; the last one may not be full.
constexpr std::int64_t panel_count(std::int64_t rows) { return (rows + kPanelRows - 1) / kPanelRows; }

/// Bytes of `rows` x `cols` weights in panels; the last panel is whole.
constexpr std::int64_t packed_bytes(PackedFormat format, std::int64_t rows, std::int64_t cols) {
  return panel_count(rows) * (cols / kIntegerBlock / format.blocks_per_group()) * format.group_bytes();
}

/// Writes panel `panel` of `weight` [rows, cols] to `to`; rows past the end are zeros.
/// REQUIRES: packed_format(weight.dtype).bits != 0; cols a multiple of the format's block.
void pack_panel(const Tensor& weight, std::int64_t panel, std::byte* to);

}  // namespace rung::linear
