#pragma once
// The types that a user of the engine works with: a request, the deltas that it produces, and its result.

#include <cstddef>
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
  float temperature = 0.8f;  // 0: greedy, takes the largest logit and the lowest id among equals
  int top_k = 0;             // keeps the top_k most probable tokens; 0: keeps all
  float top_p = 1.0f;        // (0, 1]: keeps the most probable tokens whose probabilities sum to top_p
  float min_p = 0.0f;        // [0, 1): keeps tokens with p >= min_p * p_max
  float typical_p = 1.0f;    // (0, 1]: keeps the most typical tokens whose probabilities sum to typical_p
  // > 0; penalizes tokens that already occurred in the prompt or the output. It divides positive logits and
  // multiplies negative ones (Keskar et al. 2019).
  float repetition_penalty = 1.0f;
  float presence_penalty = 0.0f;             // subtracted once from the logit of every generated token
  float frequency_penalty = 0.0f;            // subtracted once for each time that the token was generated
  std::map<std::int32_t, float> logit_bias;  // added to the logits of these token ids
  std::uint64_t seed = 0;
  int logprobs = -1;  // alternatives to report per token; 0: only the sampled token; -1: no log-probabilities

  /// Throws UsageError that names the first value out of range (NaN included). Pass vocab_size = 0 if the
  /// model is not known yet.
  void validate(int vocab_size = 0) const;
};

struct TokenLogprob {
  std::int32_t token = 0;
  float logprob = 0;
};

struct SampledToken {
  std::int32_t token = 0;
  float logprob = 0;              // log-softmax of the raw logits, before any sampling step, at `token`
  std::vector<TokenLogprob> top;  // the `logprobs` most probable tokens, highest first, then lowest id first
};

enum class FinishReason { none, stop, length, cancelled };
std::string_view finish_reason_name(FinishReason reason);  // "stop", "length", "cancelled"

/// The tokens and the text that a request gained since its last delta.
struct Delta {
  std::vector<std::int32_t> token_ids;
  std::vector<SampledToken> samples;  // one per token if the request asks for log-probabilities, else empty
  std::string text;                   // complete characters that can no longer become part of a stop string
  FinishReason finish_reason = FinishReason::none;  // set in the last delta, which may contain no token
};

/// A listener. It is called with the deltas of one request, in order, on the thread that drives the engine.
using OnDelta = std::function<void(const Delta& delta)>;

struct Request {
  std::vector<std::int32_t> prompt;  // token ids, at least one
  int max_tokens = 128;              // limit for the generated tokens, at least 1
  int n = 1;                         // samples of this prompt, at least 1; sample i uses sampling.seed + i
  SamplingParams sampling;
  std::vector<std::string> stop;       // generation ends when one of these strings appears; the text omits it
  std::vector<std::int32_t> stop_ids;  // generation ends at one of these tokens; the text omits the token
  bool ignore_end = false;             // continues after the model's end-of-text token
  OnDelta on_delta;                    // receives only the first sample's deltas; may be empty
  // Restricts which tokens may come next (seams/constraint.hpp). The engine clones it for each sample before
  // the first token. When it allows no token, the text ends with reason `stop`. Null: every token is allowed.
  std::shared_ptr<const Constraint> constraint;

  std::uint64_t cache_salt = 0;  // requests with different salts never share cached blocks

  // Arrival time on the service's clock, for a request that waited elsewhere; -1: the time of submit().
  double arrival_s = -1;
  // Read by policies, see ScheduledSequence.
  int user = 0;
  int priority = 0;  // larger is more urgent
  // Targets in seconds for the time to the first token and for the time per output token after it; 0: none.
  double ttft_target_s = 0, tpot_target_s = 0;
};

inline constexpr int kMostSamples = 1024;  // largest Request::n

/// The limits of a service for its requests.
struct RequestLimits {
  int vocab_size = 0;       // token ids must be less than this
  int context = 0;          // tokens per sequence
  int trained_context = 0;  // context length that the model was trained for; for error messages
};

/// Throws UsageError if this request can never run for a reason other than the length of its prompt.
void check_request(const Request& request, const RequestLimits& limits);
/// Throws UsageError if a prompt of `tokens` tokens is longer than the context.
void check_prompt_fits(std::size_t tokens, const RequestLimits& limits);

struct Result {
  std::string text;
  std::vector<std::int32_t> token_ids;
  std::vector<SampledToken> samples;  // one per token if the request asks for log-probabilities, else empty
  int prompt_tokens = 0;
  FinishReason finish_reason = FinishReason::none;
  double first_token_s = 0;  // seconds from submit() to the first token
  double total_s = 0;        // seconds from submit() to the end
  int cached_tokens = 0;     // prompt tokens that were reused from the prefix cache
  int preemptions = 0;       // times that the request lost its memory in the KV cache
};

}  // namespace rung
