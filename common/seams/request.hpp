#pragma once
// What a user of the engine handles: a request, what comes back piece by piece, and the result.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace rung {

class Constraint;

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

enum class FinishReason { none, stop, length, cancelled };
std::string_view finish_reason_name(FinishReason reason);  // "stop", "length", "cancelled"

/// What a request gained since its last delta.
struct Delta {
  std::vector<std::int32_t> token_ids;
  std::vector<SampledToken> samples;  // one per token, when log-probabilities were asked for
  std::string text;                   // complete characters that can no longer become part of a stop string
  FinishReason finish_reason = FinishReason::none;  // set in the last delta, which may have no token
};

/// Hears the deltas of one request in order, on the thread that drives the engine.
using OnDelta = std::function<void(const Delta& delta)>;

struct Request {
  std::vector<std::int32_t> prompt;  // token ids, at least one
  int max_tokens = 128;              // at least 1
  int n = 1;  // samples of this prompt, at least 1: sample i draws with sampling.seed + i
  SamplingParams sampling;
  std::vector<std::string> stop;       // generation ends when one appears; it is not part of the text
  std::vector<std::int32_t> stop_ids;  // generation ends at one of these tokens; its text is not shown
  bool ignore_end = false;             // go on past the model's end-of-text token
  OnDelta on_delta;                    // of n samples it hears the first; may be empty
  // Which tokens may come (seams/constraint.hpp), as it is before the first one. Each sample gets a clone of
  // its own. Where nothing may follow, the text ends with reason `stop`. Null: every token may come.
  std::shared_ptr<const Constraint> constraint;

  // For policies, see ScheduledSequence.
  std::uint64_t cache_salt = 0;  // texts with different salts never share cached blocks
  int user = 0;
  int priority = 0;
  double ttft_target_s = 0, tpot_target_s = 0;
};

struct Result {
  std::string text;
  std::vector<std::int32_t> token_ids;
  std::vector<SampledToken> samples;  // one per token, when log-probabilities were asked for
  int prompt_tokens = 0;
  FinishReason finish_reason = FinishReason::none;
  double first_token_s = 0;  // from submit to the first token
  double total_s = 0;        // from submit to the end
  int cached_tokens = 0;     // of the prompt, that were in the cache already
  int preemptions = 0;       // how often it lost its place in the cache
};

}  // namespace rung
