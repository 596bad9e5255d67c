// Rung 2 of `linear`: vector instructions, written once with Highway for AVX-512, AVX2 and plain code.
//
// Weights are converted in vector registers, so a Q8_0 weight costs one byte of memory traffic and never
// exists as a float in memory. Formats without a reader of their own (simd_formats-inl.h) go through the
// format's own conversion, a few rows at a time. One token: four rows of W stream past at a time; the limit
// is memory. Many tokens: a tile of rows x tokens lives in registers, so that one load of W feeds six
// products and one load of x four; the limit is arithmetic.

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "03_techniques/linear/simd.cpp"
#include <hwy/foreach_target.h>  // must come before highway.h

#include <hwy/cache_control.h>
#include <hwy/highway.h>

#include <algorithm>
#include <cassert>
#include <cstring>

#include "core/dtype_legacy.hpp"
#include "core/parallel.hpp"
#include "core/simd.hpp"
#include "linear.hpp"
// These two are read again for every instruction set.
#include "simd_formats-inl.h"
#include "simd_kernels-inl.h"

HWY_BEFORE_NAMESPACE();
namespace rung::linear::HWY_NAMESPACE {

void run_task(const SimdTask& task) {
  switch (task.weight.dtype) {
    case DType::f32:
      return multiply<ReadF32>(task);
    case DType::f16:
      return multiply<Read16<hwy::float16_t>>(task);
    case DType::bf16:
      return multiply<Read16<hwy::bfloat16_t>>(task);
    case DType::q8_0:
      return multiply<ReadQ8_0>(task);
    case DType::q4_0:
      return multiply<ReadQ4_0>(task);
    default:
      return multiply<Converted>(task);
  }
}

}  // namespace rung::linear::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace rung::linear {
namespace {

HWY_EXPORT(memory_for);
HWY_EXPORT(run_task);

class Vectorised final : public Linear {
 public:
  explicit Vectorised(const LinearConfig& config)
      : weight_(config.weight), threads_(config.threads), max_tokens_(config.max_tokens) {
    simd_level();  // reads RUNG_SIMD before the first dispatch
    const std::int64_t floats = HWY_DYNAMIC_DISPATCH(memory_for)(weight_.cols, max_tokens_);
    memory_ = ThreadMemory(config, static_cast<std::size_t>(floats) * sizeof(float));
  }

  void apply(const Tensor& x, const Tensor& y) override {
    assert(x.rows <= max_tokens_);
    const std::int64_t chunks = (weight_.rows + kSimdRows - 1) / kSimdRows;
    parallel_for_dynamic(threads_, chunks, [&](std::int64_t c) {
      const std::int64_t begin = c * kSimdRows;
      const std::int64_t end = std::min(begin + kSimdRows, weight_.rows);
      HWY_DYNAMIC_DISPATCH(run_task)({weight_, x, y, begin, end, memory_.of_this_thread<float>()});
    });
  }

  std::int64_t piece_rows() const override { return kSimdRows; }
  void apply_piece(const Tensor& x, const PreparedRows* /*prepared*/, std::int64_t begin,
                   const Tensor& y) const override {
    assert(x.rows <= max_tokens_);
    const Tensor rows = weight_.row_slice(begin, y.cols);
    for (std::int64_t first = 0; first < y.cols; first += kSimdRows) {
      const std::int64_t end = std::min(first + kSimdRows, y.cols);
      HWY_DYNAMIC_DISPATCH(run_task)({rows, x, y, first, end, memory_.of_this_thread<float>()});
    }
  }

 private:
  Tensor weight_;
  int threads_;
  std::int64_t max_tokens_;
  ThreadMemory memory_;
};

}  // namespace

std::unique_ptr<Linear> make_simd(const LinearConfig& config) { return std::make_unique<Vectorised>(config); }

}  // namespace rung::linear
#endif
