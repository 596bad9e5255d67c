// The rung `bf16_dot`: x rounded to bfloat16 as well, two columns multiplied and added at a time.
//
// A pair of bfloat16 fills 32 bits, and AVX512_BF16 has an instruction that multiplies 16 such pairs by 16
// others and adds both products to 16 float32 sums: twice the arithmetic of a float32 FMA, and weights that
// need no widening. Rows lie in panels of 16, two columns of a row side by side. Where the instruction is
// missing, AVX2 or plain code does the same operations in the same order, so the bits are the same: the rung
// can be tested, not gained by, on any processor.

#include "bf16_dot.hpp"

#include <hwy/base.h>

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstring>
#include <memory>

#include "core/parallel.hpp"
#include "core/simd.hpp"
#include "kernel_macros.hpp"
#include "linear.hpp"
#include "panel_loop.hpp"
#include "panel_memory.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#define RUNG_BF16_X86 1
#endif

namespace rung::linear {
namespace {

namespace plain {
#include "bf16_dot_isa-plain.h"
#include "bf16_dot_kernels-inl.h"
}  // namespace plain

#ifdef RUNG_BF16_X86
HWY_PUSH_ATTRIBUTES("avx2,fma")
namespace avx2 {
#include "bf16_dot_isa-avx2.h"
#include "bf16_dot_kernels-inl.h"
}  // namespace avx2
HWY_POP_ATTRIBUTES

HWY_PUSH_ATTRIBUTES("avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,avx512bf16")
namespace bf16 {
#include "bf16_dot_isa-bf16.h"
#include "bf16_dot_kernels-inl.h"
}  // namespace bf16
HWY_POP_ATTRIBUTES
#endif

const Bf16Kernels& kernels_of_machine() {
#ifdef RUNG_BF16_X86
  if (dot_instructions().avx512_bf16) return bf16::kKernels;
  if (simd_level() >= Simd::avx2) return avx2::kKernels;
#endif
  return plain::kKernels;
}

class Bf16Dot final : public Linear {
 public:
  explicit Bf16Dot(const LinearConfig& config)
      : rows_(config.weight.rows),
        pairs_((config.weight.cols + 1) / 2),
        threads_(config.threads),
        kernels_(kernels_of_machine()),
        x_(config, kernels_.steps),
        memory_(config, std::max(PairedRows::row_bytes(config.weight.cols),
                                 static_cast<std::size_t>(kernels_.block_tokens * kChunkPanels * kPanelRows) *
                                     sizeof(float))) {
    const auto words = static_cast<std::size_t>(panel_count(rows_) * pairs_ * kPanelRows);
    panels_ = Panels(config, "bf16_dot", kLayoutVersion, words * sizeof(std::uint32_t), [&](std::byte* to) {
      parallel_for(threads_, panel_count(rows_), [&](std::int64_t p) {
        pack(config.weight, p, reinterpret_cast<std::uint32_t*>(to) + p * pairs_ * kPanelRows);
      });
    });
  }

  Activations activations() const override { return Activations::bf16; }
  std::size_t packed_bytes() const override { return panels_.bytes(); }

  void apply(const Tensor& x, const Tensor& y) override {
    if (x.rows == 0) return;
    x_.assign(x, kernels_.tile, threads_, memory_);
    const auto* words = reinterpret_cast<const std::uint32_t*>(panels_.data());
    for_panels(threads_, panel_count(rows_), kChunkPanels, x.rows, [&](std::int64_t begin, std::int64_t end) {
      auto* const sums = memory_.of_this_thread<float>();
      for_panels_in_memory(begin, end, kChunkPanels, kernels_.block_tokens, x.rows,
                           [&](std::int64_t first, std::int64_t last) {
                             kernels_.run({words, rows_, pairs_, &x_, y, first, last, sums});
                           });
    });
  }

 private:
  // Panels handed to a thread at a time: [128, 512] weights, 128 KB, stay in L2 for a block of tokens.
  static constexpr std::int64_t kChunkPanels = 8;
  static constexpr int kLayoutVersion = 1;  // [panels, pairs, 16] pairs

  /// Panel p as [pairs, 16]; rows past the end, and a column past an odd end, are zeros.
  void pack(const Tensor& weight, std::int64_t p, std::uint32_t* to) const {
    const std::int64_t rows = std::min<std::int64_t>(kPanelRows, rows_ - p * kPanelRows);
    if (rows < kPanelRows) std::fill_n(to, pairs_ * kPanelRows, 0u);
    for (std::int64_t r = 0; r < rows; ++r) {
      const auto* row = static_cast<const std::uint16_t*>(weight.row(p * kPanelRows + r));
      const std::int64_t whole = weight.cols / 2;
      for (std::int64_t i = 0; i < whole; ++i) {
        to[i * kPanelRows + r] = std::uint32_t{row[2 * i]} | std::uint32_t{row[2 * i + 1]} << 16;
      }
      if (whole < pairs_) to[whole * kPanelRows + r] = row[2 * whole];
    }
  }

  std::int64_t rows_, pairs_;
  int threads_;
  const Bf16Kernels& kernels_;
  PairedRows x_;
  ThreadMemory memory_;  // a row of x, then sums
  Panels panels_;
};

}  // namespace

PairedRows::PairedRows(const LinearConfig& config, int steps)
    : steps_(steps),
      row_words_((config.weight.cols + 1) / 2 * steps),
      memory_(config.place, kRowsRegion,
              static_cast<std::size_t>(config.max_tokens * row_words_) * sizeof(std::uint32_t)) {}

void PairedRows::assign(const Tensor& x, int tile, int threads, const ThreadMemory& memory) {
  const std::int64_t pairs = (x.cols + 1) / 2;
  const int steps = steps_;
  assert(pairs * steps == row_words_);
  assert(static_cast<std::size_t>(x.rows * row_words_) * sizeof(std::uint32_t) <= memory_.bytes());
  tokens_ = x.rows;
  parallel_for(threads, (x.rows + tile - 1) / tile, [&](std::int64_t i) {
    auto* const rounded = memory.of_this_thread<std::uint16_t>();
    rounded[2 * pairs - 1] = 0;  // past an odd end
    const std::int64_t first = i * tile, n = std::min<std::int64_t>(tile, x.rows - first);
    for (std::int64_t t = 0; t < n; ++t) {
      traits(DType::bf16).from_float(x.ptr<float>(first + t), rounded, x.cols);
      std::uint32_t* to = words() + first * row_words_ + t * steps;
      for (std::int64_t p = 0; p < pairs; ++p, to += n * steps) {
        const std::uint32_t even = rounded[2 * p], odd = rounded[2 * p + 1];
        to[0] = steps == 1 ? even | odd << 16 : odd << 16;
        if (steps == 2) to[1] = even << 16;
      }
    }
  });
}

std::unique_ptr<Linear> make_bf16_dot(const LinearConfig& config) {
  return std::make_unique<Bf16Dot>(config);
}

}  // namespace rung::linear
