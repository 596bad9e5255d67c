// A correct answer that is not good: the extreme gets the lowest level, as absmax does it, and no other scale
// is tried.

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
    blocks[b].scale = f32_to_f16(extreme / -8.0f);
    const float scale = f16_to_f32(blocks[b].scale);
    std::uint8_t numbers[BlockQ4_0::kElements];
    for (int i = 0; i < BlockQ4_0::kElements; ++i) {
      const float q = scale != 0 ? std::round(x[i] / scale) : 0.0f;
      numbers[i] = static_cast<std::uint8_t>(std::fmin(std::fmax(q, -8.0f), 7.0f) + 8.0f);
    }
    formats::pack_nibbles(numbers, blocks[b].quants);
  }
}

}  // namespace rung::quantization
