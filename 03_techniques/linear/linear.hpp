#pragma once
// What the files of this topic share: the factories of its rungs, and what the learner's rung is given.
//
// Not a public header: others see the seam (seams/linear.hpp) and register_rungs().

#include <cstdint>
#include <memory>
#include <vector>

#include "core/registry.hpp"
#include "core/tensor.hpp"
#include "seams/linear.hpp"

namespace rung::linear {

std::unique_ptr<Linear> make_naive(const LinearConfig& config);
std::unique_ptr<Linear> make_eigen(const LinearConfig& config);
std::unique_ptr<Linear> make_simd(const LinearConfig& config);
std::unique_ptr<Linear> make_panels(const LinearConfig& config);
std::unique_ptr<Linear> make_int8(const LinearConfig& config);
std::unique_ptr<Linear> make_packed(const LinearConfig& config);
std::unique_ptr<Linear> make_bf16_dot(const LinearConfig& config);
std::unique_ptr<Linear> make_bf16_tiles(const LinearConfig& config);
std::unique_ptr<Linear> make_onednn(const LinearConfig& config);  // only with RUNG_HAS_ONEDNN

/// The learner's rung (mine.cpp): y = x W^T. x [tokens, in] f32, weight [out, in] in any format,
/// y [tokens, out] f32; rows of x and y may be strided, tokens may be 0. Throws NotStarted until written.
void mine(const Tensor& x, const Tensor& weight, const Tensor& y, int threads);

/// Row `row` of a weight as float32, whatever its format. to [weight.cols].
inline void read_row(const Tensor& weight, std::int64_t row, float* to) {
  traits(weight.dtype).to_float(weight.row(row), to, weight.cols);
}

/// What a kernel of the rung `simd` is called for: rows [begin, end) of W times all tokens.
struct SimdTask {
  Tensor weight, x, y;      // as in Linear::apply
  std::int64_t begin, end;  // rows of weight, columns of y
};

/// Memory of the calling thread alone, at least n floats from the start of a cache line; valid until the
/// thread's next call. It grows to what the largest layer needs and is then shared by all layers. The content
/// is undefined.
inline float* thread_scratch(std::size_t n) {
  constexpr std::size_t kLine = 64 / sizeof(float);
  thread_local std::vector<float> memory;
  if (memory.size() < n + kLine) memory.resize(n + kLine);
  const auto address = reinterpret_cast<std::uintptr_t>(memory.data());
  return memory.data() + (64 - address % 64) % 64 / sizeof(float);
}

/// The workloads of trials.cpp.
std::vector<Trial> make_trials(const Ladder<Linear>& ladder);

/// Adds the rungs of this topic to the ladder `linear`, bottom first.
void register_rungs(Registry& registry);

}  // namespace rung::linear
