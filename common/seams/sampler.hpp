#pragma once
// Seam `sampler`: from the rows of logits of a step to the next tokens.
//
// The order of the steps is part of the seam, so that every rung gives the same token for the same
// seed: logit bias, penalties, the mask of allowed tokens, (greedy stops here), temperature, top-k, top-p,
// min-p, typical, draw.
//
// Thread safety: one call at a time per Sampler.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <fmt/core.h>

#include "seams/request.hpp"
#include "seams/scratch.hpp"
#include "seams/token_mask.hpp"

namespace rung {

struct SamplerConfig {
  int vocab_size = 0;
  Workplace place = {};  // where the logits are; a rung that reads host memory supports only the host
  std::string describe() const { return fmt::format("a vocabulary of {}", vocab_size); }
};

/// One row of a step, and all that its draw depends on. Everything outlives the call.
struct SampleRow {
  /// [vocab] raw logits of the model, in the memory of the sampler's device; not changed.
  std::span<const float> logits;
  // The sequence so far: the repetition penalty looks at both, the presence and frequency penalties at what
  // was generated, as OpenAI's API does.
  std::span<const std::int32_t> prompt, generated;
  const SamplingParams* params = nullptr;
  std::uint64_t step = 0;              // number of this draw in its sequence
  const TokenMask* allowed = nullptr;  // [vocab] others have no probability; null: all may be drawn
};

class Sampler {
 public:
  static constexpr std::string_view kSeam = "sampler";
  using Config = SamplerConfig;

  virtual ~Sampler() = default;

  /// Draws a token for each row of a step: tokens [rows]. The one random number of a row is
  /// Rng(seed, step).uniform(), so a draw depends on nothing but its row. Throws Error for logits that no
  /// token can be drawn from, such as NaN, and where the mask or the logits leave no token.
  virtual void sample(std::span<const SampleRow> rows, std::span<SampledToken> tokens) = 0;

  /// One row alone.
  SampledToken sample(const SampleRow& row) {
    SampledToken token;
    sample({&row, 1}, {&token, 1});
    return token;
  }
};

}  // namespace rung
