#pragma once
// What packed.cpp hands to its kernels, which are compiled once per instruction set, in packed_*.cpp.

#include "core/tensor.hpp"
#include "packed_layout.hpp"
#include "quantized_rows.hpp"

namespace rung::linear {

/// Panels [begin, end) of W times all tokens.
struct PackedTask {
  DType dtype;
  const std::byte* panels;  // packed_layout.hpp
  std::int64_t rows, cols;  // of W
  const QuantizedRows* x;
  Tensor y;  // [tokens, rows]
  std::int64_t begin, end;
  float* memory = nullptr;  // the calling thread's memory: thread_floats() floats for each panel
};

/// What a kernel makes of the bytes that packed_layout.hpp describes.
enum class Quants {
  as_stored,
  as_unsigned,  // signed ones get 128 added: one factor of `vpdpbusd` is unsigned
  as_signed,    // loses what was added to it
};

/// One instruction set.
struct PackedKernels {
  void (*run)(const PackedTask& task);
  int tile;  // tokens that are multiplied together
  Quants quants;
  /// Returns how many floats one panel of W with `cols` columns needs in a thread's memory. Null: none.
  std::size_t (*thread_floats)(std::int64_t cols, PackedFormat format);

  /// How x must be laid out for weights of this format.
  RowLayout row_layout(PackedFormat format) const {
    const int offset = format.has_signed_quants() && quants == Quants::as_unsigned ? 128 : format.offset;
    return {format.halves, quants == Quants::as_signed ? 0 : offset, tile};
  }
};

/// The kernels of one instruction set, each compiled in a file of its own (packed_plain.cpp and its
/// neighbors), because an instruction set takes the compiler seconds. Null where the processor's family does
/// not have it; whether this machine has it is for the caller to ask.
const PackedKernels& packed_plain();
const PackedKernels* packed_avx2();
const PackedKernels* packed_vnni();

/// Those of Intel's matrix tiles (packed_tiles.cpp), for many tokens at a time; null where there are none.
const PackedKernels* tile_kernels();

/// Calls f with the type as the argument of its template. REQUIRES: packed_format(dtype).bits != 0.
template <class F>
void for_packed_type(DType dtype, const F& f) {
  switch (dtype) {
    case DType::q8_0:
      return f.template operator()<DType::q8_0>();
    case DType::q4_0:
      return f.template operator()<DType::q4_0>();
    case DType::q4_1:
      return f.template operator()<DType::q4_1>();
    case DType::q5_0:
      return f.template operator()<DType::q5_0>();
    case DType::q5_1:
      return f.template operator()<DType::q5_1>();
    case DType::iq4_nl:
      return f.template operator()<DType::iq4_nl>();
    case DType::mxfp4:
      return f.template operator()<DType::mxfp4>();
    case DType::q2_k:
      return f.template operator()<DType::q2_k>();
    case DType::q3_k:
      return f.template operator()<DType::q3_k>();
    case DType::q4_k:
      return f.template operator()<DType::q4_k>();
    case DType::q5_k:
      return f.template operator()<DType::q5_k>();
    case DType::q6_k:
      return f.template operator()<DType::q6_k>();
    default:
      return;
  }
}

}  // namespace rung::linear
