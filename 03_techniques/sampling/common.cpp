// The steps in which the rungs do not differ: bias, penalties and mask, the largest logit, log-probabilities.

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/error.hpp"
#include "core/rng.hpp"
#include "mass.hpp"
#include "sampling.hpp"

namespace rung::sampling {

LogitAdjuster::LogitAdjuster(const SamplerConfig& config) : vocab_size_(config.vocab_size) {
  if (vocab_size_ < 1 || vocab_size_ > kMaxVocab) {
    fail("a sampler for a vocabulary of {} cannot be made; it takes 1 to {} tokens", vocab_size_, kMaxVocab);
  }
}

void LogitAdjuster::check(std::span<const std::int32_t> tokens) const {
  for (const std::int32_t token : tokens) {
    if (token < 0 || token >= vocab_size_) {
      fail("the sequence holds token {}; this model's tokens are 0 to {}", token, vocab_size_ - 1);
    }
  }
}

// Every operation rounds to float32, the logits' own precision, as in Hugging Face's processors.
std::span<const float> LogitAdjuster::adjust(const SampleRow& row) {
  const SamplingParams& params = *row.params;
  params.validate(vocab_size_);
  if (row.logits.size() != static_cast<std::size_t>(vocab_size_)) {
    fail("a row of {} logits was given to a sampler for a vocabulary of {}", row.logits.size(), vocab_size_);
  }
  if (row.allowed != nullptr && row.allowed->size() != vocab_size_) {
    fail("a mask of {} tokens was given to a sampler for a vocabulary of {}", row.allowed->size(),
         vocab_size_);
  }
  const bool penalties =
      params.repetition_penalty != 1 || params.presence_penalty != 0 || params.frequency_penalty != 0;
  if (params.logit_bias.empty() && !penalties && row.allowed == nullptr) return row.logits;

  adjusted_.assign(row.logits.begin(), row.logits.end());
  for (const auto& [token, bias] : params.logit_bias) adjusted_[static_cast<std::size_t>(token)] += bias;
  if (penalties) penalize(row);
  if (row.allowed != nullptr) forbid(*row.allowed);
  return adjusted_;
}

void LogitAdjuster::penalize(const SampleRow& row) {
  const SamplingParams& params = *row.params;
  const bool repetition = params.repetition_penalty != 1;
  const bool presence = params.presence_penalty != 0 || params.frequency_penalty != 0;
  check(row.prompt);
  check(row.generated);
  count_.resize(adjusted_.size(), 0);
  // Keskar et al. 2019 (CTRL, arXiv 1909.05858), section 4.1: every token that the sequence holds, once.
  // They divide; for a negative logit dividing would reward, so it is multiplied, as everybody does.
  if (repetition) {
    for (const auto tokens : {row.prompt, row.generated}) {
      for (const std::int32_t token : tokens) {
        const auto i = static_cast<std::size_t>(token);
        if (count_[i]++ != 0) continue;
        float& logit = adjusted_[i];
        logit = logit < 0 ? logit * params.repetition_penalty : logit / params.repetition_penalty;
      }
    }
    for (const std::int32_t token : row.prompt) count_[static_cast<std::size_t>(token)] = 0;
    for (const std::int32_t token : row.generated) count_[static_cast<std::size_t>(token)] = 0;
  }
  // OpenAI's API: both penalties look at what was generated, not at the prompt.
  if (presence) {
    for (const std::int32_t token : row.generated) ++count_[static_cast<std::size_t>(token)];
    for (const std::int32_t token : row.generated) {
      const auto i = static_cast<std::size_t>(token);
      if (count_[i] == 0) continue;  // done already
      adjusted_[i] -= params.presence_penalty;
      adjusted_[i] -= params.frequency_penalty * static_cast<float>(count_[i]);
      count_[i] = 0;
    }
  }
}

// NaN and +infinity stay: they say that the model is broken, whoever is allowed.
void LogitAdjuster::forbid(const TokenMask& allowed) {
  for (std::size_t i = 0; i < adjusted_.size(); ++i) {
    const bool finite = adjusted_[i] <= std::numeric_limits<float>::max();
    if (finite && !allowed.allows(static_cast<std::int32_t>(i)))
      adjusted_[i] = -std::numeric_limits<float>::infinity();
  }
}

void RowSampler::sample(std::span<const SampleRow> rows, std::span<SampledToken> tokens) {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const SampleRow& row = rows[i];
    const std::span<const float> logits = adjuster_.adjust(row);
    std::int32_t token = best(logits);
    if (row.params->temperature > 0)
      token = draw(logits, token, *row.params, Rng(row.params->seed, row.step).uniform());
    tokens[i] = report(token, row.logits, row.params->logprobs);
  }
}

std::int32_t best_token(std::span<const float> logits) {
  float best = -std::numeric_limits<float>::infinity();
  std::size_t where = 0;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    if (!(logits[i] <= std::numeric_limits<float>::max())) fail_on_bad_logits(logits);  // NaN or +infinity
    if (logits[i] > best) {
      best = logits[i];
      where = i;
    }
  }
  if (std::isinf(best)) fail_on_bad_logits(logits);
  return static_cast<std::int32_t>(where);
}

void fail_on_bad_logits(std::span<const float> logits) {
  for (std::size_t i = 0; i < logits.size(); ++i) {
    if (std::isnan(logits[i]) || (std::isinf(logits[i]) && logits[i] > 0)) {
      fail(
          "the logit of token {} is {}; logits must be finite (or -inf for a masked token): check the "
          "model's "
          "weights, the penalties and the logit bias",
          i, logits[i]);
    }
  }
  fail("all {} tokens are masked (their logits are -inf), so there is none to take; allow at least one",
       logits.size());
}

SampledToken report(std::int32_t token, std::span<const float> logits, int logprobs) {
  SampledToken result;
  result.token = token;
  if (logprobs < 0) return result;

  const Gaps gaps(logits[static_cast<std::size_t>(best_token(logits))], 1.0f);
  std::uint64_t total = 0;
  for (const float logit : logits) total += mass_of(gaps.of(logit));
  const double log_total = std::log(static_cast<double>(total) / static_cast<double>(kFullMass));
  const auto logprob = [&](std::int32_t id) {
    return static_cast<float>(-gaps.of(logits[static_cast<std::size_t>(id)]) - log_total);
  };
  result.logprob = logprob(token);

  if (logprobs == 0) return result;
  std::vector<std::int32_t> ids(logits.size());
  std::iota(ids.begin(), ids.end(), 0);
  std::partial_sort(ids.begin(), ids.begin() + logprobs, ids.end(), [&](std::int32_t a, std::int32_t b) {
    const float x = logits[static_cast<std::size_t>(a)], y = logits[static_cast<std::size_t>(b)];
    return x != y ? x > y : a < b;
  });
  for (int i = 0; i < logprobs; ++i)
    result.top.push_back({ids[static_cast<std::size_t>(i)], logprob(ids[static_cast<std::size_t>(i)])});
  return result;
}

}  // namespace rung::sampling
