// A learner's rung that is nearly right: elements are rounded with the scale as it was before it was stored,
// and towards zero. The test of the exercise flow puts it in the place of 03_techniques/quantization/mine.cpp
// on a scratch copy and wants it refused.

#include <cmath>

#include "core/dtype_legacy.hpp"
#include "quantization.hpp"

namespace rung::quantization {

bool mine_supports(const QuantizerConfig& config) { return config.type == DType::q4_0 && !config.weighted; }

void mine(DType, const float* x, const float*, void* to, std::int64_t n) {
  auto* blocks = static_cast<BlockQ4_0*>(to);
  for (std::int64_t b = 0; b < n / BlockQ4_0::kElements; ++b, x += BlockQ4_0::kElements) {
    float extreme = 0;
    for (int i = 0; i < BlockQ4_0::kElements; ++i) {
      if (std::fabs(x[i]) > std::fabs(extreme)) extreme = x[i];
    }
    const float scale = extreme / -8.0f;
    blocks[b].scale = f32_to_f16(scale);
    std::uint8_t numbers[BlockQ4_0::kElements];
    for (int i = 0; i < BlockQ4_0::kElements; ++i) {
      const int q = scale != 0 ? static_cast<int>(x[i] / scale) : 0;  // the bug
      numbers[i] = static_cast<std::uint8_t>((q > 7 ? 7 : q) + 8);
    }
    formats::pack_nibbles(numbers, blocks[b].quants);
  }
}

}  // namespace rung::quantization
