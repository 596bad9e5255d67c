// The rung `packed` on Intel's matrix tiles (AMX): its numbers and its panels, for many tokens at a time.
//
// A tile register holds 16 rows of 64 bytes. One instruction multiplies a tile of 16 tokens with one of 16
// rows of W and adds all 256 sums in 32 bits: four times the products of `vpdpbusd` in the same time. A
// panel's block already lies as the instruction wants it: a row of the tile is one vector, four columns of 16
// rows.
//
// What is left is everything else. The 256 sums of each block of 32 columns meet their scales in float
// vectors, which takes longer than the products. So nothing but that may stay in the loop: the panel is
// unpacked to signed bytes and float scales once, for all tokens.

#include "packed.hpp"

#if defined(__x86_64__)

#include <hwy/base.h>
#include <immintrin.h>

#include <algorithm>
#include <cstring>

#include "core/dtype_codebook.hpp"
#include "core/simd.hpp"
#include "core/tile_shapes.hpp"
#include "kernel_macros.hpp"

HWY_PUSH_ATTRIBUTES("avx2,fma,f16c,avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,amx-tile,amx-int8")

namespace rung::linear {
namespace {

#include "packed_isa-vnni.h"
#include "packed_weights-inl.h"

constexpr int kTileTokens = 16;
// x of these tokens, 360 KB at 5632 columns, passes from L2 once for each panel.
constexpr std::int64_t kBlockTokens = 4 * kTileTokens;

/// A panel of 16 rows as the loop over its blocks reads it. A step is 32 columns, or 16 where these have a
/// scale of their own.
struct OpenPanel {
  std::int8_t* quants;  // [steps, columns / 4, 16 rows, 4], signed
  float* scales;        // [steps, 16]
  float* minima;        // [steps, 16], only of formats with a minimum

  static constexpr std::size_t floats(std::int64_t cols, PackedFormat format) {
    const auto steps = static_cast<std::size_t>(cols / kIntegerBlock * format.halves);
    return static_cast<std::size_t>(cols) * kPanelRows / sizeof(float) +
           steps * kPanelRows * (format.minimum ? 2 : 1);
  }
  OpenPanel(float* memory, std::int64_t cols, PackedFormat format) {
    const std::int64_t steps = cols / kIntegerBlock * format.halves;
    scales = memory;
    minima = format.minimum ? scales + steps * kPanelRows : nullptr;
    quants = reinterpret_cast<std::int8_t*>(scales + steps * kPanelRows * (format.minimum ? 2 : 1));
  }
};

/// Weights<kType>::unpack() leaves quants unsigned, as the vectors want them.
template <DType kType>
RUNG_INLINE Bytes as_signed(Bytes a) {
  using W = Weights<kType>;
  if constexpr (W::kSigned) return Isa::as_stored_signed(a);  // takes its 128 away again
  if constexpr (W::kFormat.offset != 0) return _mm512_sub_epi8(a, _mm512_set1_epi8(W::kFormat.offset));
  return a;
}

template <DType kType>
void open_panel(const std::byte* panel, std::int64_t cols, const OpenPanel& to) {
  constexpr PackedFormat kFormat = packed_format(kType);
  std::int8_t* quants = to.quants;
  float *scales = to.scales, *minima = to.minima;
  Floats shared[2];
  const std::byte* at = panel;
  for (std::int64_t b = 0; b < cols / kIntegerBlock; ++b, at += kFormat.block_bytes()) {
    if (kFormat.k_scales() && b % kFormat.blocks_per_group() == 0) {
      shared[0] = Isa::load_half(at);
      if constexpr (kFormat.minimum) shared[1] = Isa::load_half(at + kPanelRows * 2);
      at += kFormat.header_bytes();
    }
    Bytes w[kColumnGroups];
    Weights<kType>::unpack(at, 0, w);
    RUNG_UNROLL
    for (int g = 0; g < kColumnGroups; ++g, quants += kVectorBytes) {
      _mm512_storeu_si512(quants, as_signed<kType>(w[g]));
    }
    const std::byte* stored = at + kFormat.quant_bytes();
    RUNG_UNROLL
    for (int h = 0; h < kFormat.halves; ++h, scales += kPanelRows) {
      const BlockScales<kType> block(stored, h, 0, shared);
      Isa::store(block.scale, scales);
      if constexpr (kFormat.minimum) {
        Isa::store(block.minimum, minima);
        minima += kPanelRows;
      }
    }
  }
}

RUNG_INLINE void shape_tiles(int tokens, int columns) {
  TileShapes shapes;
  for (int i = 0; i < 2; ++i) {
    shapes.shape(i, tokens, 4 * kPanelRows);           // the sums
    shapes.shape(2 + i, tokens, columns);              // x
    shapes.shape(4 + i, columns / 4, 4 * kPanelRows);  // W
  }
  RUNG_LOAD_TILE_SHAPES(shapes);
}

/// The products of one step, to memory: [tokens, 16]. Two sets of tiles take turns, so that a step's products
/// do not wait for the step before.
template <int kColumns>
RUNG_INLINE void multiply_step(std::int64_t step, const std::int8_t* x, const std::int8_t* w,
                               std::int32_t* products) {
  if (step % 2 == 0) {
    _tile_zero(0);
    _tile_loadd(2, x, kIntegerBlock);
    _tile_loadd(4, w, kVectorBytes);
    _tile_dpbssd(0, 2, 4);
    _tile_stored(0, products, 4 * kPanelRows);
  } else {
    _tile_zero(1);
    _tile_loadd(3, x, kIntegerBlock);
    _tile_loadd(5, w, kVectorBytes);
    _tile_dpbssd(1, 3, 5);
    _tile_stored(1, products, 4 * kPanelRows);
  }
}

/// T tokens times a panel. `first`: the token at which a tile of QuantizedRows begins.
template <DType kType, int T>
void multiply_tile(const PackedTask& task, const OpenPanel& w, std::int64_t panel, std::int64_t first) {
  constexpr PackedFormat kFormat = packed_format(kType);
  constexpr int kColumns = kIntegerBlock / kFormat.halves;
  alignas(64) std::int32_t products[2][kTileTokens * kPanelRows];
  const std::int64_t steps = task.cols / kColumns;
  const std::int8_t* x = task.x->quants(first);
  const auto x_of = [&](std::int64_t step) {
    return x + step / kFormat.halves * T * kIntegerBlock + step % kFormat.halves * kColumns;
  };
  const float* x_scales = task.x->scales(first);
  const float* x_sums = kFormat.minimum ? task.x->scaled_sums(first) : nullptr;
  Floats sum[T];
  RUNG_UNROLL
  for (int t = 0; t < T; ++t) sum[t] = Isa::zero();
  multiply_step<kColumns>(0, x, w.quants, products[0]);
  for (std::int64_t s = 0; s < steps; ++s) {
    // The tiles work ahead on the next step while the vectors scale this one.
    if (s + 1 < steps) {
      multiply_step<kColumns>(s + 1, x_of(s + 1), w.quants + (s + 1) * kColumns * kPanelRows,
                              products[(s + 1) % 2]);
    }
    const Floats scale = _mm512_loadu_ps(w.scales + s * kPanelRows);
    const std::int32_t* product = products[s % 2];
    const float* x_scale = x_scales + s / kFormat.halves * T;
    RUNG_UNROLL
    for (int t = 0; t < T; ++t) {
      const Floats exact = Isa::to_floats(_mm512_load_si512(product + t * kPanelRows));
      sum[t] = Isa::multiply_add(exact, Isa::multiply(scale, Isa::set(x_scale[t])), sum[t]);
    }
    if constexpr (kFormat.minimum) {
      const Floats minimum = _mm512_loadu_ps(w.minima + s * kPanelRows);
      const float* x_sum = x_sums + s / kFormat.halves * T * kFormat.halves + s % kFormat.halves;
      RUNG_UNROLL
      for (int t = 0; t < T; ++t) {
        sum[t] = Isa::multiply_add(minimum, Isa::set(x_sum[t * kFormat.halves]), sum[t]);
      }
    }
  }
  const std::int64_t row = panel * kPanelRows;
  const auto rows = static_cast<unsigned>(std::min<std::int64_t>(kPanelRows, task.rows - row));
  RUNG_UNROLL
  for (int t = 0; t < T; ++t) {
    _mm512_mask_storeu_ps(task.y.ptr<float>(first + t) + row, static_cast<__mmask16>((1u << rows) - 1),
                          sum[t]);
  }
}

/// Whatever n tokens, 1 to T, stand in the last tile.
template <DType kType, int T>
void multiply_last(const PackedTask& task, const OpenPanel& w, std::int64_t panel, std::int64_t first,
                   std::int64_t n) {
  if constexpr (T > 0) {
    if (n == T) return multiply_tile<kType, T>(task, w, panel, first);
    multiply_last<kType, T - 1>(task, w, panel, first, n);
  }
}

template <DType kType>
void multiply(const PackedTask& task) {
  constexpr PackedFormat kFormat = packed_format(kType);
  constexpr int kColumns = kIntegerBlock / kFormat.halves;
  const std::int64_t panels = task.end - task.begin;
  const std::size_t floats = OpenPanel::floats(task.cols, kFormat);
  const auto open = [&](std::int64_t p) {
    return OpenPanel(task.memory + static_cast<std::size_t>(p) * floats, task.cols, kFormat);
  };
  for (std::int64_t p = 0; p < panels; ++p) {
    const std::int64_t bytes = packed_bytes(kFormat, kPanelRows, task.cols);
    open_panel<kType>(task.panels + (task.begin + p) * bytes, task.cols, open(p));
  }
  const std::int64_t full = task.x->tokens() / kTileTokens * kTileTokens, rest = task.x->tokens() - full;
  if (full > 0) shape_tiles(kTileTokens, kColumns);
  for (std::int64_t block = 0; block < full; block += kBlockTokens) {
    for (std::int64_t p = 0; p < panels; ++p) {
      for (std::int64_t t = block; t < std::min(block + kBlockTokens, full); t += kTileTokens) {
        multiply_tile<kType, kTileTokens>(task, open(p), task.begin + p, t);
      }
    }
  }
  if (rest > 0) {
    shape_tiles(static_cast<int>(rest), kColumns);
    for (std::int64_t p = 0; p < panels; ++p) {
      multiply_last<kType, kTileTokens - 1>(task, open(p), task.begin + p, full, rest);
    }
  }
  _tile_release();
}

void run(const PackedTask& task) {
  for_packed_type(task.dtype, [&]<DType kType>() { multiply<kType>(task); });
}

constexpr PackedKernels kKernels{run, kTileTokens, Quants::as_signed, OpenPanel::floats};

}  // namespace

const PackedKernels* tile_kernels() { return dot_instructions().amx_int8 ? &kKernels : nullptr; }

}  // namespace rung::linear

HWY_POP_ATTRIBUTES

#else

namespace rung::linear {
const PackedKernels* tile_kernels() { return nullptr; }
}  // namespace rung::linear

#endif
