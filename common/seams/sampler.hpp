#pragma once
// Seam `sampler`: from one row of logits to the next token.
//
// The order of the steps is part of the seam, so that every rung gives the same token for the same
// seed: logit bias, penalties, (greedy stops here), temperature, top-k, top-p, min-p, typical, draw.
//
// Thread safety: one call at a time per Sampler.

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/core.h>

namespace rung {

struct SamplingParams {
  float temperature = 0.8f;  // 0 is greedy: the largest logit, the lowest id among equals
  int top_k = 0;             // 0: all
  float top_p = 1.0f;        // (0, 1]
  float min_p = 0.0f;        // [0, 1): keep p >= min_p * p_max
  float typical_p = 1.0f;    // (0, 1]
  float repetition_penalty =
      1.0f;  // > 0 (Keskar et al. 2019): divides positive logits, multiplies negative ones
  float presence_penalty = 0.0f;             // subtracted once from every token generated so far
  float frequency_penalty = 0.0f;            // subtracted once per occurrence
  std::map<std::int32_t, float> logit_bias;  // added to the logits of these ids
  std::uint64_t seed = 0;
  int logprobs = -1;  // how many alternatives to report; 0: the chosen one only; -1: none

  /// Throws UsageError naming the first value out of range (NaN included). `vocab_size`: 0 where no model is
  /// known yet.
  void validate(int vocab_size = 0) const;
};

struct TokenLogprob {
  std::int32_t token = 0;
  float logprob = 0;
};

struct SampledToken {
  std::int32_t token = 0;
  float logprob = 0;              // log-softmax of the raw logits (before any step) at `token`
  std::vector<TokenLogprob> top;  // the `logprobs` most probable, highest first, lowest id among equals
};

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
