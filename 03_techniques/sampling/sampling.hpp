#pragma once
// What the files of this topic share: the factories of its rungs, the steps in which rungs do not
// differ, and what the learner's rung is given.
//
// Not a public header: others see the seam (seams/sampler.hpp) and register_rungs().

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/registry.hpp"
#include "seams/sampler.hpp"

namespace rung::sampling {

std::unique_ptr<Sampler> make_naive(const SamplerConfig& config);
std::unique_ptr<Sampler> make_select(const SamplerConfig& config);
std::unique_ptr<Sampler> make_simd(const SamplerConfig& config);
std::unique_ptr<Sampler> make_mine(const SamplerConfig& config);

/// Logit bias, penalties and the mask of allowed tokens, the first steps of the seam. Owns scratch of two
/// vectors [vocab].
class LogitAdjuster {
 public:
  /// Throws Error when the vocabulary is not of 1 to kMaxVocab tokens.
  explicit LogitAdjuster(const SamplerConfig& config);

  /// The logits after bias, penalties and mask [vocab]: row.logits itself when no step applies, else scratch
  /// that is valid until the next call. Throws UsageError for parameters out of range, Error for a row or a
  /// mask of the wrong length or a token id outside the vocabulary.
  std::span<const float> adjust(const SampleRow& row);

 private:
  void check(std::span<const std::int32_t> tokens) const;
  void penalize(const SampleRow& row);
  void forbid(const TokenMask& allowed);

  int vocab_size_;
  std::vector<float> adjusted_;      // [vocab]
  std::vector<std::int32_t> count_;  // [vocab] occurrences; all zero between calls
};

/// The largest logit's id, the lowest among equals. Throws Error when a logit is NaN or +infinity, or when
/// all are -infinity.
std::int32_t best_token(std::span<const float> logits);
/// The sentence for such logits. `logits` holds at least one.
[[noreturn]] void fail_on_bad_logits(std::span<const float> logits);

/// `token` with the log-probabilities that were asked for (`logprobs` as in SamplingParams), from the raw
/// logits [vocab].
SampledToken report(std::int32_t token, std::span<const float> logits, int logprobs);

/// A sampler that takes one row after the other. What comes before and after the choice is the same for all
/// rungs; a rung says how the best token is found, and how one is drawn.
class RowSampler : public Sampler {
 public:
  explicit RowSampler(const SamplerConfig& config) : adjuster_(config) {}
  using Sampler::sample;
  void sample(std::span<const SampleRow> rows, std::span<SampledToken> tokens) final;

 private:
  /// As best_token() says.
  virtual std::int32_t best(std::span<const float> logits) { return best_token(logits); }
  /// The token at u in [0, 1) after temperature, top-k, top-p, min-p and typical. logits [vocab] after the
  /// steps before these, `best` is their best token, temperature is above 0.
  virtual std::int32_t draw(std::span<const float> logits, std::int32_t best, const SamplingParams& params,
                            double u) = 0;

  LogitAdjuster adjuster_;
};

/// Whether the learner has written anything yet.
enum class Progress { not_started, done };

/// A token and its probability, as the learner's rung sees it.
struct Choice {
  std::int32_t id = 0;
  double probability = 0;
};

/// The learner's rung (mine.cpp): the nucleus and the draw. Other steps are the naive rung's.
Progress my_top_p(std::vector<Choice>& choices, double top_p);
Progress my_draw(std::span<const Choice> choices, double u, std::int32_t& token);

/// The workloads of trials.cpp.
std::vector<Trial> make_trials(const Ladder<Sampler>& ladder);

/// Adds the rungs of this topic to the ladder `sampler`, bottom first.
void register_rungs(Registry& registry);

}  // namespace rung::sampling
