#pragma once
// Seam `sampler`: draws the next tokens from the rows of logits of a step.
//
// The order of the stages is part of the seam, so every rung draws the same token for the same seed:
// logit bias, penalties, the mask of allowed tokens, temperature, top-k, top-p, min-p, typical, draw. Greedy
// sampling ends after the mask.
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

/// One row of a step, and everything that its draw depends on. What it points to outlives the call.
struct SampleRow {
  /// [vocab] raw logits of the model, in the memory of the sampler's device; not changed.
  std::span<const float> logits;
  // The tokens of the sequence so far. The repetition penalty uses both parts. The presence and frequency
  // penalties use only the generated tokens, as in OpenAI's API.
  std::span<const std::int32_t> prompt, generated;
  const SamplingParams* params = nullptr;
  std::uint64_t step = 0;              // number of this draw in its sequence
  const TokenMask* allowed = nullptr;  // [vocab] tokens that may be drawn; null: all tokens
};

class Sampler {
 public:
  static constexpr std::string_view kSeam = "sampler";
  using Config = SamplerConfig;

  virtual ~Sampler() = default;

  /// Draws a token for each row of a step and stores it in tokens [rows]. Each row uses one random number,
  /// Rng(seed, step).uniform(), so a draw depends on its row alone. Throws Error if no token can be drawn
  /// from the logits, for example because they contain NaN, or because the mask or the logits exclude every
  /// token.
  virtual void sample(std::span<const SampleRow> rows, std::span<SampledToken> tokens) = 0;

  /// Draws the token of a single row.
  SampledToken sample(const SampleRow& row) {
    SampledToken token;
    sample({&row, 1}, {&token, 1});
    return token;
  }
};

}  // namespace rung
