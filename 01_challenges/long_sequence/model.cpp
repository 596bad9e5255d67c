// Rung 0: what the model's own configuration says, which may stretch already (Llama 3.1, Phi-3, ...). It does
// not carry a model beyond the length in that configuration.

#include "long_sequence.hpp"

namespace rung::long_sequence {

RopeFrequencies model(const RopeStretchConfig& config) {
  return rope_frequencies(config.rope, config.rotary_dim, config.context);
}

}  // namespace rung::long_sequence
