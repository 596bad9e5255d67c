// Rung 3 of `linear`: weights laid out anew when the model is loaded, in panels of 16 interleaved rows.
//
// In a panel a column's 16 weights are neighbours. One load brings 16 rows, x is broadcast, and each row's
// sum stays in its lane: nothing is added across lanes, and x costs one load per token and column for all
// rows of a tile. x is laid out in tiles as well. A tile's sums fill the registers; what it reads comes from
// L1 (x) and L2 (W). The price is a copy of the weights.

#include "panels.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "03_techniques/linear/panels.cpp"
#include <hwy/foreach_target.h>  // must come before highway.h

#include <hwy/highway.h>

#include <algorithm>
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

HWY_EXPORT(tile_tokens);
HWY_EXPORT(run_panels);

class InPanels final : public Linear {
 public:
  explicit InPanels(const LinearConfig& config)
      : dtype_(config.weight.dtype),
        rows_(config.weight.rows),
        cols_(config.weight.cols),
        threads_(config.threads) {
    simd_level();  // reads RUNG_SIMD before the first dispatch
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
    const TiledRows& tiles = tiled(x);
    for_panels(threads_, panels(), kChunkPanels, x.rows, [&](std::int64_t begin, std::int64_t end) {
      HWY_DYNAMIC_DISPATCH(run_panels)({dtype_, copy_.data(), rows_, cols_, &tiles, y, begin, end});
    });
  }

  std::int64_t piece_rows() const override { return kChunkPanels * kPanelRows; }
  const PreparedRows* prepare(const Tensor& x) override { return &tiled(x); }
  int prepared_layout() const override { return 1; }  // `packed` has other numbers
  void apply_piece(const Tensor& /*x*/, const PreparedRows* prepared, std::int64_t begin,
                   const Tensor& y) const override {
    const std::byte* panels = copy_.data() + static_cast<std::size_t>(begin / kPanelRows) * panel_bytes_;
    HWY_DYNAMIC_DISPATCH(run_panels)
    ({dtype_, panels, y.cols, cols_, static_cast<const TiledRows*>(prepared), y, 0, panel_count(y.cols)});
  }

 private:
  // Panels handed to a thread at a time: [128, 512] weights, 256 KB as f32, stay in L2 for a block of tokens.
  static constexpr std::int64_t kChunkPanels = 8;
  static constexpr int kLayoutVersion = 1;  // [panels, cols, 16] elements

  std::int64_t panels() const { return panel_count(rows_); }

  const TiledRows& tiled(const Tensor& x) const {
    TiledRows& tiles = tiles_of_this_thread();
    tiles.assign(x, HWY_DYNAMIC_DISPATCH(tile_tokens)(), threads_);
    return tiles;
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
  Panels copy_;
  std::size_t panel_bytes_ = 0;
};

}  // namespace

void TiledRows::assign(const Tensor& x, int tile, int threads) {
  tokens_ = x.rows;
  cols_ = x.cols;
  values_.resize(std::max(values_.size(), static_cast<std::size_t>(x.rows * x.cols)));
  parallel_for(threads, (x.rows + tile - 1) / tile, [&](std::int64_t i) {
    const std::int64_t first = i * tile, n = std::min<std::int64_t>(tile, x.rows - first);
    float* to = values_.data() + first * cols_;
    for (std::int64_t t = 0; t < n; ++t) {
      const float* row = x.ptr<float>(first + t);
      for (std::int64_t c = 0; c < cols_; ++c) to[c * n + t] = row[c];
    }
  });
}

TiledRows& tiles_of_this_thread() {
  thread_local TiledRows tiles;
  return tiles;
}

std::unique_ptr<Linear> make_panels(const LinearConfig& config) { return std::make_unique<InPanels>(config); }

}  // namespace rung::linear
#endif
