// The names of the reasons for which a request can end, and the checks of every number that a user can pass.

#include "seams/request.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/error.hpp"

namespace rung {

std::string_view finish_reason_name(FinishReason reason) {
  switch (reason) {
    case FinishReason::stop:
      return "stop";
    case FinishReason::length:
      return "length";
    case FinishReason::cancelled:
      return "cancelled";
    case FinishReason::none:
      break;
  }
  return "none";
}

// The conditions state what a valid value satisfies. NaN satisfies no comparison, so it is refused.
void SamplingParams::validate(int vocab_size) const {
  if (!(std::isfinite(temperature) && temperature >= 0)) {
    fail_usage(
        "temperature is {}; it must be a finite number of at least 0 (0 takes the most probable token)",
        temperature);
  }
  if (top_k < 0) fail_usage("top_k is {}; it must be at least 0 (0 keeps all tokens)", top_k);
  if (!(top_p > 0 && top_p <= 1)) {
    fail_usage("top_p is {}; it must be above 0 and at most 1 (1 keeps all tokens)", top_p);
  }
  if (!(min_p >= 0 && min_p < 1)) {
    fail_usage("min_p is {}; it must be at least 0 and below 1 (0 keeps all tokens)", min_p);
  }
  if (!(typical_p > 0 && typical_p <= 1)) {
    fail_usage("typical_p is {}; it must be above 0 and at most 1 (1 keeps all tokens)", typical_p);
  }
  if (!(std::isfinite(repetition_penalty) && repetition_penalty > 0)) {
    fail_usage("repetition_penalty is {}; it must be a finite number above 0 (1 changes nothing)",
               repetition_penalty);
  }
  if (!std::isfinite(presence_penalty)) {
    fail_usage("presence_penalty is {}; it must be a finite number (0 changes nothing)", presence_penalty);
  }
  if (!std::isfinite(frequency_penalty)) {
    fail_usage("frequency_penalty is {}; it must be a finite number (0 changes nothing)", frequency_penalty);
  }
  for (const auto& [token, bias] : logit_bias) {
    if (token < 0 && vocab_size == 0)
      fail_usage("logit_bias names token {}; token ids must be at least 0", token);
    if (vocab_size > 0 && (token < 0 || token >= vocab_size)) {
      fail_usage("logit_bias names token {}; this model's tokens are 0 to {}", token, vocab_size - 1);
    }
    if (!std::isfinite(bias)) {
      fail_usage(
          "logit_bias of token {} is {}; it must be a finite number (-100 is enough to forbid a token)",
          token, bias);
    }
  }
  if (logprobs < -1) fail_usage("logprobs is {}; it must be at least -1 (none)", logprobs);
  if (vocab_size > 0 && logprobs > vocab_size) {
    fail_usage("logprobs is {}; it must be -1 (none) to {} (the whole vocabulary)", logprobs, vocab_size);
  }
}

void check_prompt_fits(std::size_t tokens, const RequestLimits& limits) {
  if (tokens <= static_cast<std::size_t>(limits.context)) return;
  fail_usage(
      "the prompt has {} tokens, but the context holds {}; shorten it or raise --ctx (the model allows {})",
      tokens, limits.context, limits.trained_context);
}

void check_request(const Request& request, const RequestLimits& limits) {
  if (request.prompt.empty())
    fail_usage("the prompt is empty and the model has no start token; give at least one token");
  if (request.max_tokens < 1) {
    fail_usage("the number of tokens to generate is {}; it must be at least 1", request.max_tokens);
  }
  if (request.n < 1 || request.n > kMostSamples) {
    fail_usage("the number of samples is {}; it must be from 1 to {}", request.n, kMostSamples);
  }
  for (const auto& [what, ids] :
       {std::pair{"prompt", &request.prompt}, std::pair{"stop", &request.stop_ids}}) {
    for (const std::int32_t id : *ids) {
      if (id < 0 || id >= limits.vocab_size) {
        fail_usage("{} token {} is outside the vocabulary, which has ids 0 to {}", what, id,
                   limits.vocab_size - 1);
      }
    }
  }
  if (std::count(request.stop.begin(), request.stop.end(), "") > 0)
    fail_usage("a stop string is empty; each needs at least one character");
  request.sampling.validate(limits.vocab_size);
}

}  // namespace rung
