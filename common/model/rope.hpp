#pragma once
// The frequencies of rotary position embedding (RoPE), either unchanged or stretched beyond the trained
// length.
//
// Pair i of a head is rotated by position * frequency_i radians. The unchanged frequencies are
// theta^(-2i / rotary_dim) (Su et al. 2021, arXiv 2104.09864). They can be stretched in four ways:
//
// - linear: all frequencies are divided by factor (Chen et al. 2023, arXiv 2306.15595).
// - llama3: slow pairs are divided, fast pairs are kept, and a ramp connects them (Llama 3.1; transformers,
//   modeling_rope_utils.py).
// - yarn: the ramp is over the numbers of the pairs instead, and cos and sin are scaled (Peng et al. 2023,
//   arXiv 2309.00071).
// - longrope: each pair is divided by its own factor, found by search (Ding et al. 2024, arXiv 2402.13753).
//   One list is for contexts up to the original length, and one for longer ones.

#include <vector>

#include "model/model_config.hpp"

namespace rung {

struct RopeFrequencies {
  std::vector<double> radians;  // [rotary_dim / 2] radians per position
  double magnitude = 1;         // multiplies cos and sin
};

/// Returns the frequencies for sequences of up to `context` tokens. The choice of LongRoPE depends on this
/// length. It is made once, so that cached keys stay valid while a sequence grows, as in llama.cpp.
/// (transformers switches when a sequence outgrows the original length, and does not change the older keys.)
/// REQUIRES: `rope` is validated.
RopeFrequencies rope_frequencies(const RopeConfig& rope, int rotary_dim, int context);

/// Returns the original length times YaRN's factor, as a whole number of tokens.
int stretched_context(const RopeConfig& rope);

/// Returns the default of RopeConfig::attention_factor from the papers: 0.1 ln(factor) + 1 for YaRN, and
/// sqrt(1 + ln(factor) / ln(original)) for LongRoPE. Returns 1 for every other scaling, and if factor <= 1.
float default_attention_factor(RopeScaling scaling, double factor, double original_context);

}  // namespace rung
