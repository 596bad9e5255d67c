// Rung 3 of `linear`: weights laid out anew when the model is loaded, in panels of 16 interleaved rows.
//
// In a panel a column's 16 weights are neighbors. One load brings 16 rows, x is broadcast, and each row's
// sum stays in its lane: nothing is added across lanes, and x costs one load per token and column for all
// rows of a tile. x is laid out in tiles as well. A tile's sums fill the registers; what it reads comes from
// L1 (x) and L2 (W). The price is a copy of the weights.

#include "panels.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "03_techniques/linear/panels.cpp"
#include <hwy/foreach_target.h>  // must come before highway.h

#include <hwy/highway.h>

#include <algorithm>
#include <cassert>
#include <cstring>

#include "core/parallel.hpp"
#include "core/simd.hpp"
#include "linear.hpp"
#include "panel_loop.hpp"
#include "panel_memory.hpp"
// This one is read again for every instruction set.
#include "panels_kernels-inl.h"

HWY_BEFORE_NAMESPACE();
namespace rung::linear::HWY_NAMESPACE {

int tile_tokens() { return kTokens; }
std::int64_t block_tokens() { return kBlockTokens; }

void run_panels(const PanelTask& task) {
  switch (task.dtype) {
    case DType::f16:
      return multiply<hwy::float16_t>(task);
    case DType::bf16:
      return multiply<hwy::bfloat16_t>(task);
    default:
      return multiply<float>(task);
  }
}

}  // namespace rung::linear::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace rung::linear {
namespace {

HWY_EXPORT(block_tokens);
HWY_EXPORT(tile_tokens);
HWY_EXPORT(run_panels);

class InPanels final : public Linear {
 public:
  explicit InPanels(const LinearConfig& config)
      : dtype_(config.weight.dtype),
        rows_(config.weight.rows),
        cols_(config.weight.cols),
        threads_(config.threads),
        tiles_(config) {
    simd_level();  // reads RUNG_SIMD before the first dispatch
    block_tokens_ = HWY_DYNAMIC_DISPATCH(block_tokens)();
    const std::int64_t sums = block_tokens_ * kChunkPanels * kPanelRows;
    memory_ = ThreadMemory(config, static_cast<std::size_t>(sums) * sizeof(float));
    const auto element = static_cast<std::size_t>(traits(dtype_).block_bytes);
    panel_bytes_ = static_cast<std::size_t>(cols_ * kPanelRows) * element;
    const auto write = [&](std::byte* memory) {
      parallel_for(threads_, panels(), [&](std::int64_t p) {
        std::byte* to = memory + static_cast<std::size_t>(p) * panel_bytes_;
        if (element == 4) {
          interleave<std::uint32_t>(config.weight, p, to);
        } else {
          interleave<std::uint16_t>(config.weight, p, to);
        }
      });
    };
    copy_ =
        Panels(config, "panels", kLayoutVersion, static_cast<std::size_t>(panels()) * panel_bytes_, write);
  }

  std::size_t packed_bytes() const override { return copy_.bytes(); }

  void apply(const Tensor& x, const Tensor& y) override {
    if (x.rows == 0) return;
    tile(x);
    for_panels(threads_, panels(), kChunkPanels, x.rows, [&](std::int64_t begin, std::int64_t end) {
      run(copy_.data(), rows_, tiles_, y, begin, end);
    });
  }

  std::int64_t piece_rows() const override { return kChunkPanels * kPanelRows; }
  const PreparedRows* prepare(const Tensor& x) override {
    tile(x);
    return &tiles_;
  }
  int prepared_layout() const override { return 1; }  // `packed` has other numbers
  void apply_piece(const Tensor& /*x*/, const PreparedRows* prepared, std::int64_t begin,
                   const Tensor& y) const override {
    const std::byte* panels = copy_.data() + static_cast<std::size_t>(begin / kPanelRows) * panel_bytes_;
    run(panels, y.cols, static_cast<const TiledRows&>(*prepared), y, 0, panel_count(y.cols));
  }

 private:
  // Panels handed to a thread at a time: [128, 512] weights, 256 KB as f32, stay in L2 for a block of tokens.
  static constexpr std::int64_t kChunkPanels = 8;
  static constexpr int kLayoutVersion = 1;  // [panels, cols, 16] elements

  std::int64_t panels() const { return panel_count(rows_); }

  void tile(const Tensor& x) { tiles_.assign(x, HWY_DYNAMIC_DISPATCH(tile_tokens)(), threads_); }

  /// Panels [begin, end) of W [rows, cols] times x, on the calling thread.
  void run(const std::byte* panels, std::int64_t rows, const TiledRows& x, const Tensor& y,
           std::int64_t begin, std::int64_t end) const {
    auto* const sums = memory_.of_this_thread<float>();
    for_panels_in_memory(begin, end, kChunkPanels, block_tokens_, x.tokens(),
                         [&](std::int64_t first, std::int64_t last) {
                           HWY_DYNAMIC_DISPATCH(run_panels)
                           ({dtype_, panels, rows, cols_, &x, y, first, last, sums});
                         });
  }

  /// Panel p as [cols, 16] elements; rows past the end are zeros, which every format writes as zero bits.
  template <class Bits>
  static void interleave(const Tensor& weight, std::int64_t p, std::byte* to) {
    auto* out = reinterpret_cast<Bits*>(to);
    const std::int64_t rows = std::min<std::int64_t>(kPanelRows, weight.rows - p * kPanelRows);
    if (rows < kPanelRows)
      std::memset(to, 0, static_cast<std::size_t>(weight.cols * kPanelRows) * sizeof(Bits));
    for (std::int64_t r = 0; r < rows; ++r) {
      const auto* row = static_cast<const Bits*>(weight.row(p * kPanelRows + r));
      for (std::int64_t c = 0; c < weight.cols; ++c) out[c * kPanelRows + r] = row[c];
    }
  }

  DType dtype_;
  std::int64_t rows_, cols_;
  int threads_;
  std::int64_t block_tokens_ = 0;
  TiledRows tiles_;
  ThreadMemory memory_;
  Panels copy_;
  std::size_t panel_bytes_ = 0;
};

}  // namespace

TiledRows::TiledRows(const LinearConfig& config)
    : cols_(config.weight.cols),
      memory_(config.place, kRowsRegion, bytes_of(DType::f32, config.max_tokens * config.weight.cols)) {}

void TiledRows::assign(const Tensor& x, int tile, int threads) {
  assert(x.cols == cols_ && bytes_of(DType::f32, x.rows * x.cols) <= memory_.bytes());
  tokens_ = x.rows;
  parallel_for(threads, (x.rows + tile - 1) / tile, [&](std::int64_t i) {
    const std::int64_t first = i * tile, n = std::min<std::int64_t>(tile, x.rows - first);
    float* to = values() + first * cols_;
    for (std::int64_t t = 0; t < n; ++t) {
      const float* row = x.ptr<float>(first + t);
      for (std::int64_t c = 0; c < cols_; ++c) to[c * n + t] = row[c];
    }
  });
}

std::unique_ptr<Linear> make_panels(const LinearConfig& config) { return std::make_unique<InPanels>(config); }

}  // namespace rung::linear
#endif
