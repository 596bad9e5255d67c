// Your rung. The lesson in this folder says what it must do and which test checks it.
//
// The idea: fill the blocks of Q4_0, 32 weights in 18 bytes (core/dtype_legacy.hpp): a binary16 scale, and
// for every weight a number from 0 to 15 that stands for scale * (number - 8).
//   1. choose a scale; if it is negative, the 8 levels below zero and the 7 above change sides
//   2. store it (f32_to_f16) and read it back: round the elements with the scale that the file contains
//   3. element i goes to the low half of byte i, element i + 16 to the high half
// The test requires that each element has the nearest level for your scale, and that no block has a larger
// error than with absmax.

#include "core/dtype_legacy.hpp"
#include "quantization.hpp"

namespace rung::quantization {

bool mine_supports(const QuantizerConfig& config) { return config.type == DType::q4_0 && !config.weighted; }

void mine([[maybe_unused]] DType type, [[maybe_unused]] const float* x, [[maybe_unused]] const float* weights,
          [[maybe_unused]] void* to, [[maybe_unused]] std::int64_t n) {
  throw NotStarted("quantizer rung 'mine' is not started: write 03_techniques/quantization/mine.cpp");
}

}  // namespace rung::quantization
