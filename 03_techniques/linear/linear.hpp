#pragma once
// Declarations that the files of this topic share: the factories of its rungs, and the learner's rung.
//
// Not a public header: other folders use the seam (seams/linear.hpp) and register_rungs().

#include <cstdint>
#include <memory>

#include "core/registry.hpp"
#include "core/tensor.hpp"
#include "seams/linear.hpp"
#include "thread_memory.hpp"

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

// The exercise, mine.cpp: one function per step.

/// Step 1. Returns the sum of a[i] * b[i] over n numbers, 0 if n is 0.
float my_dot(const float* a, const float* b, std::int64_t n);
/// Step 2. Writes column o of y: y[t, o] = row . x[t] for every token t. row [in], x [tokens, in] f32, y
/// [tokens, out] f32; rows of x and y may be strided, tokens may be 0. The bits of a token's product do not
/// depend on the other tokens.
void my_row(const float* row, const Tensor& x, std::int64_t o, const Tensor& y);
/// Step 3. y = x W^T. x and y as above, weight [out, in] in any format. For each of the `threads` threads,
/// `memory` has room for kRowsForMine rows of W as float32.
void mine(const Tensor& x, const Tensor& weight, const Tensor& y, int threads, const ThreadMemory& memory);
constexpr std::int64_t kRowsForMine = 16;

/// The graded steps of the exercise (steps.cpp).
std::vector<ExerciseStep> steps();

/// Returns whether the rung `packed` has a layout for this format.
bool can_be_packed(DType dtype);

/// Writes row `row` of a weight, in any format, as float32. to [weight.cols].
inline void read_row(const Tensor& weight, std::int64_t row, float* to) {
  traits(weight.dtype).to_float(weight.row(row), to, weight.cols);
}

/// The task of one call of a kernel of `simd`: rows [begin, end) of W times all tokens.
struct SimdTask {
  Tensor weight, x, y;      // as in Linear::apply
  std::int64_t begin, end;  // rows of weight, columns of y; at most kSimdRows
  float* memory;            // the calling thread's memory
};
/// The number of rows that a thread gets at a time. It is so small that all threads finish at about the same
/// time, even if one of them is delayed.
constexpr std::int64_t kSimdRows = 64;

/// The workloads of trials.cpp.
std::vector<Trial> make_trials(const Ladder<Linear>& ladder);

/// Adds the rungs of this topic to the ladder `linear`, bottom first.
void register_rungs(Registry& registry);

}  // namespace rung::linear
