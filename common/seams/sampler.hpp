#pragma once
// Seam `sampler`: from one row of logits to the next token.
//
// The order of the steps is part of the seam, so that every rung gives the same token for the same
// seed: logit bias, penalties, (greedy stops here), temperature, top-k, top-p, min-p, typical, draw.
//
// Thread safety: one call at a time per Sampler.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <fmt/core.h>

#include "seams/request.hpp"

namespace rung {

struct SamplerConfig {
  int vocab_size = 0;
  std::string describe() const { return fmt::format("a vocabulary of {}", vocab_size); }
};

class Sampler {
 public:
  static constexpr std::string_view kSeam = "sampler";
  using Config = SamplerConfig;

  virtual ~Sampler() = default;

  /// Draws token number `step` of a sequence. logits [vocab] raw, from the model, not changed.
  /// `prompt` and `generated` are the sequence so far (the repetition penalty looks at both, the
  /// presence and frequency penalties at what was generated, as OpenAI's API does). The one random
  /// number used is Rng(seed, step).uniform(), so a draw depends on nothing but its arguments.
  virtual SampledToken sample(std::span<const float> logits, std::span<const std::int32_t> prompt,
                              std::span<const std::int32_t> generated, const SamplingParams& params,
                              std::uint64_t step) = 0;
};

}  // namespace rung
