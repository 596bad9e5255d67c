// Your quantizer for Q4_0, in three steps. The lesson beside this file explains them. Judge with
//
//   rung exercises quantization          builds this file and judges all steps
//   rung exercises quantization --hint   shows one hint for the step that does not pass yet
//
// A block (BlockQ4_0 in common/core/dtype_legacy.hpp) has 32 weights in 18 bytes: one scale in binary16, and
// for every weight a level from 0 to 15, which stands for scale * (level - 8).

#include <algorithm>
#include <cmath>

#include "core/dtype_legacy.hpp"
#include "exercise.hpp"

namespace rung::quantization {
namespace {

[[noreturn]] void not_started(const char* function) {
  throw NotStarted(
      fmt::format("{} is not started: write it in 03_techniques/quantization/mine.cpp", function));
}

}  // namespace

// Step 1. Returns the scale of a block of 32 weights. Find the weight of the largest magnitude, the first one
// if there are several, and divide it, with its sign, by -8. Its level is 0 then. Test: quantization.mine.1
float my_scale([[maybe_unused]] const float* x) { not_started("my_scale()"); }

// Step 2. Rounds 32 weights with a given scale. levels[i] is the level from 0 to 15 for which
// scale * (level - 8) is nearest to x[i]. If the scale is 0, every level is 8. The scale can be negative, and
// so small that many weights lie beyond the outermost levels. Test: quantization.mine.2
void my_round([[maybe_unused]] const float* x, [[maybe_unused]] float scale,
              [[maybe_unused]] std::uint8_t* levels) {
  not_started("my_round()");
}

// Step 3. Quantizes a row of n weights, which is a multiple of 32, to n / 32 blocks (BlockQ4_0) at `to`.
// `type` is always q4_0. `weights`, which says how much each error counts, is always null: all count the
// same. Test: quantization.mine.3
//   - Store the scale as binary16: block.scale = f32_to_f16(scale).
//   - Round with the stored scale, f16_to_f32(block.scale), because a reader of the file has no other.
//   - Pack the levels: byte i of block.quants has level i in its low half and level i + 16 in its high half.
// Every weight must be at the nearest level for the stored scale, and no block may have a larger squared
// error than with the scale of step 1. When all steps pass, find better scales here (the goal in the lesson)
// and leave my_scale() as it is.
void mine([[maybe_unused]] DType type, [[maybe_unused]] const float* x, [[maybe_unused]] const float* weights,
          [[maybe_unused]] void* to, [[maybe_unused]] std::int64_t n) {
  not_started("mine()");
}

// What the engine may ask mine() for.
bool mine_supports(const QuantizerConfig& config) { return config.type == DType::q4_0 && !config.weighted; }

}  // namespace rung::quantization
