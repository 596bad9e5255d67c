#pragma once
// What the files of this topic share: the factories of the rungs, the steps that are the same for all rungs,
// and the types of the learner's rung.
//
// Code outside this topic uses only the seam (seams/sampler.hpp) and register_rungs().

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

/// Applies logit bias, penalties and the mask of allowed tokens, which are the first steps of the seam. Owns
/// two scratch vectors [vocab].
class LogitAdjuster {
 public:
  /// Throws Error if the vocabulary does not have 1 to kMaxVocab tokens.
  explicit LogitAdjuster(const SamplerConfig& config);

  /// Returns the logits after bias, penalties and mask [vocab]: row.logits itself if no step applies,
  /// otherwise scratch that is valid until the next call. Throws UsageError for parameters out of range, and
  /// Error for a row or a mask of the wrong length or for a token id outside the vocabulary.
  std::span<const float> adjust(const SampleRow& row);

 private:
  void check(std::span<const std::int32_t> tokens) const;
  void penalize(const SampleRow& row);
  void forbid(const TokenMask& allowed);

  int vocab_size_;
  std::vector<float> adjusted_;      // [vocab]
  std::vector<std::int32_t> count_;  // [vocab] occurrences; all zero between calls
};

/// Returns the id of the largest logit, the lowest id among equals. Throws Error if a logit is NaN or
/// +infinity, or if all are -infinity.
std::int32_t best_token(std::span<const float> logits);
/// Throws the Error for such logits. REQUIRES: `logits` has at least one of them, or only -infinity.
[[noreturn]] void fail_on_bad_logits(std::span<const float> logits);

/// Returns `token` with the requested log-probabilities (`logprobs` as in SamplingParams), which are computed
/// from the raw logits [vocab].
SampledToken report(std::int32_t token, std::span<const float> logits, int logprobs);

/// A sampler that processes one row after the other. The steps before and after the choice are the same for
/// all rungs. A rung defines how the best token is found and how a token is drawn.
class RowSampler : public Sampler {
 public:
  explicit RowSampler(const SamplerConfig& config) : adjuster_(config) {}
  using Sampler::sample;
  void sample(std::span<const SampleRow> rows, std::span<SampledToken> tokens) final;

 private:
  /// Does what best_token() does.
  virtual std::int32_t best(std::span<const float> logits) { return best_token(logits); }
  /// Returns the token at u in [0, 1) after temperature, top-k, top-p, min-p and typical. The logits [vocab]
  /// are those after all earlier steps, `best` is their best token, and the temperature is above 0.
  virtual std::int32_t draw(std::span<const float> logits, std::int32_t best, const SamplingParams& params,
                            double u) = 0;

  LogitAdjuster adjuster_;
};

/// A token and its probability, as the learner's rung receives it.
struct Choice {
  std::int32_t id = 0;
  double probability = 0;
};

// The exercise, mine.cpp: one function per step. The naive rung does what is left.

/// Step 1. Sets probabilities[i] to the softmax of logits[i] / temperature. REQUIRES: both have the same
/// size, at least 1; the logits are finite; temperature > 0.
void my_probabilities(std::span<const float> logits, double temperature, std::span<double> probabilities);
/// Step 2. Returns the id of the choice whose interval of the cumulative sum contains u in [0, 1).
std::int32_t my_draw(std::span<const Choice> choices, double u);
/// Step 3. Keeps the smallest set of most probable choices whose sum reaches top_p, in ascending order of
/// ids.
void my_top_p(std::vector<Choice>& choices, double top_p);

std::vector<ExerciseStep> steps();

/// The workloads of trials.cpp.
std::vector<Trial> make_trials(const Ladder<Sampler>& ladder);

/// Adds the rungs of this topic to the ladder `sampler`, bottom first.
void register_rungs(Registry& registry);

}  // namespace rung::sampling
