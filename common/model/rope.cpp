#include "model/rope.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace rung {
namespace {

/// Llama 3.1: by wavelength. Long waves are stretched, short ones kept, those between blended.
double llama3(const RopeConfig& rope, double frequency) {
  const double wavelength = 2 * std::numbers::pi / frequency;
  const double original = rope.original_context;
  const double stretched = frequency / rope.factor;
  if (wavelength < original / rope.high_freq_factor) return frequency;
  if (wavelength > original / rope.low_freq_factor) return stretched;
  const double kept = (original / wavelength - rope.low_freq_factor) /
                      (static_cast<double>(rope.high_freq_factor) - rope.low_freq_factor);
  return (1 - kept) * stretched + kept * frequency;
}

/// YaRN: the (fractional) number of the pair that turns `rotations` times within the original length.
double yarn_pair(const RopeConfig& rope, int rotary_dim, double rotations) {
  return rotary_dim * std::log(rope.original_context / (rotations * 2 * std::numbers::pi)) /
         (2 * std::log(static_cast<double>(rope.theta)));
}

void yarn(const RopeConfig& rope, int rotary_dim, std::vector<double>& radians) {
  const double low = std::max(std::floor(yarn_pair(rope, rotary_dim, rope.beta_fast)), 0.0);
  double high = std::min(std::ceil(yarn_pair(rope, rotary_dim, rope.beta_slow)), rotary_dim - 1.0);
  if (low == high) high += 0.001;  // a ramp needs a width
  for (std::size_t i = 0; i < radians.size(); ++i) {
    const double stretched = std::clamp((static_cast<double>(i) - low) / (high - low), 0.0, 1.0);
    radians[i] = stretched * radians[i] / rope.factor + (1 - stretched) * radians[i];
  }
}

}  // namespace

RopeFrequencies rope_frequencies(const RopeConfig& rope, int rotary_dim, int context) {
  RopeFrequencies result;
  result.magnitude = rope.attention_factor;
  const bool is_long = rope.scaling == RopeScaling::longrope && context > rope.original_context;
  const std::vector<float>& factors = is_long ? rope.long_factors : rope.factors;
  for (int i = 0; i < rotary_dim / 2; ++i) {
    double frequency = std::pow(static_cast<double>(rope.theta), -2.0 * i / rotary_dim);
    if (!factors.empty()) frequency /= static_cast<double>(factors[static_cast<std::size_t>(i)]);
    if (rope.scaling == RopeScaling::linear) frequency /= rope.factor;
    if (rope.scaling == RopeScaling::llama3) frequency = llama3(rope, frequency);
    result.radians.push_back(frequency);
  }
  if (rope.scaling == RopeScaling::yarn) yarn(rope, rotary_dim, result.radians);
  return result;
}

int stretched_context(const RopeConfig& rope) {
  constexpr double kMost = 1 << 26;  // as ModelConfig::validate() has it
  return static_cast<int>(std::clamp(double{1} * rope.factor * rope.original_context, 0.0, kMost));
}

float default_attention_factor(RopeScaling scaling, double factor, double original_context) {
  if (factor <= 1) return 1;
  if (scaling == RopeScaling::yarn) return static_cast<float>(0.1 * std::log(factor) + 1);
  if (scaling == RopeScaling::longrope) {
    return static_cast<float>(std::sqrt(1 + std::log(factor) / std::log(original_context)));
  }
  return 1;
}

}  // namespace rung
