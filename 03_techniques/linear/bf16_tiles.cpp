// The rung `bf16_tiles`: bfloat16 by Intel's matrix tiles (AMX).
//
// One instruction multiplies a tile of 16 tokens x 32 columns with one of 32 columns x 16 rows: 8192 products
// in 16 cycles, where float32 vectors take 256. It adds them to sums that stay in tiles from the first column
// to the last, so nothing stands in the way of the products but the loads: a tile of x and one of W serve two
// products each.
//
// Where there are no tiles, vectors or plain code do the same operations in the same order, so the bits are
// the same: the rung can be tested, not gained by, on any processor. That order, for 32 columns: the even
// ones from left to right, the odd ones likewise, both sums added up, and that to the sum so far. (Intel's
// manual does not tell it; the test compares. The instruction takes numbers below 2^-126 for zeros, the
// others do not.)

#include <hwy/base.h>

#include <algorithm>
#include <bit>
#include <cassert>
#include <cmath>
#include <cstring>
#include <memory>

#include "core/parallel.hpp"
#include "core/simd.hpp"
#include "core/tile_shapes.hpp"
#include "linear.hpp"
#include "panel_geometry.hpp"
#include "panel_loop.hpp"
#include "panel_memory.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#define RUNG_BF16_TILES_X86 1
#endif

namespace rung::linear {
namespace {

constexpr int kTile = 16;                        // tokens, and rows of W
constexpr int kChunk = 32;                       // columns that meet in one instruction
constexpr std::int64_t kTileBytes = kTile * 64;  // of x and of W alike
// x of 32 tokens and these columns, 32 KB, stays in the first cache while the panels pass by.
constexpr std::int64_t kBlockChunks = 16;
constexpr std::int64_t kBlockTokens = 8 * kTile;  // whose sums lie in scratch memory at a time

/// x rounded to bfloat16, in tiles: [tokens / 16, chunks, 16 tokens (the last tile: what is left), 32];
/// columns past the end are zeros.
class TiledRows {
 public:
  /// Takes memory for config.max_tokens rows of x.
  explicit TiledRows(const LinearConfig& config)
      : chunks_((config.weight.cols + kChunk - 1) / kChunk),
        memory_(config.place, kRowsRegion,
                static_cast<std::size_t>(config.max_tokens) * row_bytes(config.weight.cols)) {}
  static std::size_t row_bytes(std::int64_t cols) {
    return static_cast<std::size_t>((cols + kChunk - 1) / kChunk * kChunk) * sizeof(std::uint16_t);
  }

  /// Uses `threads` threads, each with its part of `memory`: row_bytes(). REQUIRES: x.rows <= max_tokens.
  void assign(const Tensor& x, int threads, const ThreadMemory& memory) {
    assert(static_cast<std::size_t>(x.rows) * row_bytes(x.cols) <= memory_.bytes());
    tokens_ = x.rows;
    parallel_for(threads, x.rows, [&](std::int64_t t) {
      auto* const row = memory.of_this_thread<std::uint16_t>();
      traits(DType::bf16).from_float(x.ptr<float>(t), row, x.cols);
      std::fill(row + x.cols, row + chunks_ * kChunk, std::uint16_t{0});
      const std::int64_t first = t - t % kTile;
      for (std::int64_t c = 0; c < chunks_; ++c) {
        std::memcpy(tile(first, c) + (t - first) * kChunk, row + c * kChunk, kChunk * sizeof(std::uint16_t));
      }
    });
  }
  std::int64_t tokens() const { return tokens_; }
  int together(std::int64_t first) const {
    return static_cast<int>(std::min<std::int64_t>(kTile, tokens_ - first));
  }
  /// Chunk c of the tile that begins with token `first`.
  const std::uint16_t* tile(std::int64_t first, std::int64_t c) const {
    return numbers() + (first * chunks_ + c * together(first)) * kChunk;
  }

 private:
  std::uint16_t* numbers() const { return static_cast<std::uint16_t*>(memory_.data()); }
  std::uint16_t* tile(std::int64_t first, std::int64_t c) {
    return const_cast<std::uint16_t*>(std::as_const(*this).tile(first, c));
  }

  std::int64_t tokens_ = 0, chunks_;
  ScratchMemory memory_;
};

/// Panels of 16 rows times all tokens. A panel is [chunks, 16 pairs of columns, 16 rows, 2].
struct Task {
  const std::byte* panels;
  std::int64_t rows, chunks;
  const TiledRows* x;
  Tensor y;
  std::int64_t begin, end;  // panels
  float* sums;              // of the calling thread: [a block of tokens, rows of these panels]

  const std::byte* tile(std::int64_t panel, std::int64_t c) const {
    return panels + (panel * chunks + c) * kTileBytes;
  }
};

// Sums of a block of tokens lie in scratch memory, [tokens, rows of the task], as binary zeros before the
// first column. add(task, token, n, begin, end, sums): chunks begin .. end - 1 of up to 2 tiles of n tokens
// in all, times all panels.
template <class Add>
void multiply(const Task& task, const Add& add) {
  const std::int64_t width = (task.end - task.begin) * kTile, first_row = task.begin * kTile;
  const std::int64_t rows = std::min(task.rows - first_row, width);
  float* const sums = task.sums;
  for (std::int64_t block = 0; block < task.x->tokens(); block += kBlockTokens) {
    const std::int64_t tokens = std::min(kBlockTokens, task.x->tokens() - block);
    std::fill_n(sums, tokens * width, 0.0f);
    for (std::int64_t c = 0; c < task.chunks; c += kBlockChunks) {
      const std::int64_t end = std::min(c + kBlockChunks, task.chunks);
      for (std::int64_t t = 0; t < tokens; t += 2 * kTile) {
        add(task, block + t, std::min<std::int64_t>(2 * kTile, tokens - t), c, end, sums + t * width);
      }
    }
    for (std::int64_t t = 0; t < tokens; ++t) {
      std::memcpy(task.y.ptr<float>(block + t) + first_row, sums + t * width,
                  static_cast<std::size_t>(rows) * sizeof(float));
    }
  }
}

namespace plain {
#include "bf16_tiles_vectors-inl.h"
}  // namespace plain

#ifdef RUNG_BF16_TILES_X86
HWY_PUSH_ATTRIBUTES("avx2,fma")
namespace avx2 {
#include "bf16_tiles_vectors-inl.h"
}  // namespace avx2
HWY_POP_ATTRIBUTES

HWY_PUSH_ATTRIBUTES("avx2,fma,avx512f,avx512bw,avx512dq,avx512vl")
namespace avx512 {
#include "bf16_tiles_vectors-inl.h"
}  // namespace avx512
HWY_POP_ATTRIBUTES

HWY_PUSH_ATTRIBUTES("avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,amx-tile,amx-bf16")
namespace amx {

/// Tiles 0 to 3: sums; 4 and 5: x; 6 and 7: W. The first of two tiles of x has `first` tokens, the second one
/// `second`.
void shape_tiles(int first, int second) {
  TileShapes shapes;
  const int rows[8] = {first, first, second, second, first, second, kTile, kTile};
  for (int i = 0; i < 8; ++i) shapes.shape(i, rows[i], 64);
  RUNG_LOAD_TILE_SHAPES(shapes);
}

/// Chunks begin .. end - 1 of X tiles of x times P panels.
template <int X, int P>
void add_tiles(const Task& task, std::int64_t token, std::int64_t panel, std::int64_t begin, std::int64_t end,
               float* sums) {
  const std::int64_t width = (task.end - task.begin) * kTile;
  float* const at = sums + (panel - task.begin) * kTile;
  const auto stride = static_cast<long>(width * static_cast<std::int64_t>(sizeof(float)));
  _tile_loadd(0, at, stride);
  if constexpr (P == 2) _tile_loadd(1, at + kTile, stride);
  if constexpr (X == 2) _tile_loadd(2, at + kTile * width, stride);
  if constexpr (X == 2 && P == 2) _tile_loadd(3, at + kTile * width + kTile, stride);
  for (std::int64_t c = begin; c < end; ++c) {
    _tile_loadd(4, task.x->tile(token, c), 64);
    _tile_loadd(6, task.tile(panel, c), 64);
    _tile_dpbf16ps(0, 4, 6);
    if constexpr (P == 2) {
      _tile_loadd(7, task.tile(panel + 1, c), 64);
      _tile_dpbf16ps(1, 4, 7);
    }
    if constexpr (X == 2) {
      _tile_loadd(5, task.x->tile(token + kTile, c), 64);
      _tile_dpbf16ps(2, 5, 6);
    }
    if constexpr (X == 2 && P == 2) _tile_dpbf16ps(3, 5, 7);
  }
  _tile_stored(0, at, stride);
  if constexpr (P == 2) _tile_stored(1, at + kTile, stride);
  if constexpr (X == 2) _tile_stored(2, at + kTile * width, stride);
  if constexpr (X == 2 && P == 2) _tile_stored(3, at + kTile * width + kTile, stride);
}

template <int X>
void add_panels(const Task& task, std::int64_t token, std::int64_t begin, std::int64_t end, float* sums) {
  std::int64_t panel = task.begin;
  for (; panel + 2 <= task.end; panel += 2) add_tiles<X, 2>(task, token, panel, begin, end, sums);
  for (; panel < task.end; ++panel) add_tiles<X, 1>(task, token, panel, begin, end, sums);
}

void run(const Task& task) {
  int shaped = 0;  // tokens of the two tiles
  multiply(task, [&](const Task& t, std::int64_t token, std::int64_t n, std::int64_t begin, std::int64_t end,
                     float* sums) {
    const int tokens = static_cast<int>(n);
    if (tokens != shaped) shape_tiles(std::min(tokens, kTile), tokens > kTile ? tokens - kTile : kTile);
    shaped = tokens;
    if (tokens > kTile) {
      add_panels<2>(t, token, begin, end, sums);
    } else {
      add_panels<1>(t, token, begin, end, sums);
    }
  });
  _tile_release();
}

}  // namespace amx
HWY_POP_ATTRIBUTES
#endif

using Run = void (*)(const Task& task);

Run kernel_of_machine() {
#ifdef RUNG_BF16_TILES_X86
  if (dot_instructions().amx_bf16) return amx::run;
  if (simd_level() >= Simd::avx512) return avx512::run;
  if (simd_level() >= Simd::avx2) return avx2::run;
#endif
  return plain::run;
}

class Bf16Tiles final : public Linear {
 public:
  explicit Bf16Tiles(const LinearConfig& config)
      : rows_(config.weight.rows),
        chunks_((config.weight.cols + kChunk - 1) / kChunk),
        threads_(config.threads),
        run_(kernel_of_machine()),
        x_(config),
        memory_(config,
                std::max(TiledRows::row_bytes(config.weight.cols),
                         static_cast<std::size_t>(kBlockTokens * kChunkPanels * kTile) * sizeof(float))) {
    const std::int64_t panels = panel_count(rows_), bytes = chunks_ * kTileBytes;
    panels_ = Panels(
        config, "bf16_tiles", kLayoutVersion, static_cast<std::size_t>(panels * bytes), [&](std::byte* to) {
          parallel_for(threads_, panels, [&](std::int64_t p) { pack(config.weight, p, to + p * bytes); });
        });
  }

  Activations activations() const override { return Activations::bf16; }
  std::size_t packed_bytes() const override { return panels_.bytes(); }

  void apply(const Tensor& x, const Tensor& y) override {
    if (x.rows == 0) return;
    x_.assign(x, threads_, memory_);
    for_panels(threads_, panel_count(rows_), kChunkPanels, x.rows, [&](std::int64_t begin, std::int64_t end) {
      auto* const sums = memory_.of_this_thread<float>();
      for_panels_in_memory(begin, end, kChunkPanels, kBlockTokens, x.rows,
                           [&](std::int64_t first, std::int64_t last) {
                             run_({panels_.data(), rows_, chunks_, &x_, y, first, last, sums});
                           });
    });
  }

 private:
  // Panels handed to a thread at a time: [128, 512] weights, 128 KB, stay in L2 for a block of tokens.
  static constexpr std::int64_t kChunkPanels = 8;
  static constexpr int kLayoutVersion = 1;  // [panels, chunks, 16 pairs, 16 rows, 2]

  /// Rows and columns past the end are zeros.
  void pack(const Tensor& weight, std::int64_t p, std::byte* to) const {
    std::memset(to, 0, static_cast<std::size_t>(chunks_ * kTileBytes));
    for (std::int64_t r = 0; r < std::min<std::int64_t>(kTile, rows_ - p * kTile); ++r) {
      const auto* row = static_cast<const std::uint16_t*>(weight.row(p * kTile + r));
      for (std::int64_t i = 0; i < weight.cols; ++i) {
        std::memcpy(to + ((i / 2 * kTile + r) * 2 + i % 2) * 2, row + i, sizeof *row);
      }
    }
  }

  std::int64_t rows_, chunks_;
  int threads_;
  Run run_;
  TiledRows x_;
  ThreadMemory memory_;  // a row of x, then sums
  Panels panels_;
};

}  // namespace

std::unique_ptr<Linear> make_bf16_tiles(const LinearConfig& config) {
  return std::make_unique<Bf16Tiles>(config);
}

}  // namespace rung::linear
