#pragma once
// What packed.cpp hands to its kernels, which are compiled once per instruction set.

#include "core/tensor.hpp"
#include "packed_layout.hpp"
#include "quantised_rows.hpp"

namespace rung::linear {

/// Panels [begin, end) of W times all tokens.
struct PackedTask {
  DType dtype;
  const std::byte* panels;  // packed_layout.hpp
  std::int64_t rows, cols;  // of W
  const QuantisedRows* x;
  Tensor y;  // [tokens, rows]
  std::int64_t begin, end;
};

/// One instruction set.
struct PackedKernels {
  void (*run)(const PackedTask& task);
  int tile;             // tokens that are multiplied together
  bool unsigned_bytes;  // its byte products want unsigned weights: signed formats get 128 added

  /// How x must be laid out for weights of this format.
  RowLayout row_layout(PackedFormat format) const {
    const bool is_signed = format.bits == 8 || format.table;
    return {format.halves, is_signed && unsigned_bytes ? 128 : format.offset, tile};
  }
};

}  // namespace rung::linear
