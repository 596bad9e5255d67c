#pragma once
// The frequencies of rotary position embedding, plain or stretched beyond the trained length.
//
// Pair i of a head turns by position * frequency_i radians. The plain frequencies are
// theta^(-2i / rotary_dim) (Su et al. 2021, arXiv 2104.09864); the ways to stretch them are
//   linear    all divided by factor (Chen et al. 2023, arXiv 2306.15595)
//   llama3    the slow ones divided, the fast ones kept, a ramp between (Llama 3.1; transformers,
//             modeling_rope_utils.py)
//   yarn      a ramp over the pairs' numbers instead, and cos and sin scaled (Peng et al. 2023, arXiv
//   2309.00071) longrope  every pair divided by a factor of its own, found by search (Ding et al. 2024, arXiv
//   2402.13753);
//             one list for contexts up to the original length, one for longer ones

#include <vector>

#include "model/model_config.hpp"

namespace rung {

struct RopeFrequencies {
  std::vector<double> radians;  // [rotary_dim / 2] radians per position
  double magnitude = 1;         // multiplies cos and sin
};

/// The frequencies for sequences of up to `context` tokens. LongRoPE's choice depends on that length; it
/// is made once, so that cached keys stay valid while a sequence grows (as llama.cpp does; transformers
/// changes over when a sequence outgrows the original length, and leaves the older keys as they are).
/// REQUIRES: a validated configuration.
RopeFrequencies rope_frequencies(const RopeConfig& rope, int rotary_dim, int context);

/// The length that YaRN's factor reaches from the original one, as a whole number of tokens.
int stretched_context(const RopeConfig& rope);

/// The default of RopeConfig::attention_factor, from the papers: YaRN 0.1 ln(factor) + 1, LongRoPE
/// sqrt(1 + ln(factor) / ln(original)); 1 for every other scaling, and where factor <= 1.
float default_attention_factor(RopeScaling scaling, double factor, double original_context);

}  // namespace rung
