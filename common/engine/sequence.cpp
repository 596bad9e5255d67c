#include "engine/sequence.hpp"

#include <algorithm>

namespace rung {

std::string_view state_name(SequenceState state) {
  switch (state) {
    case SequenceState::waiting:
      return "waiting";
    case SequenceState::running:
      return "running";
    case SequenceState::preempted:
      return "preempted";
    case SequenceState::finished:
      break;
  }
  return "finished";
}

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

Sequence::Sequence(int id_, Request request_, const Tokenizer* tokenizer)
    : request(std::move(request_)), stops_(request.stop) {
  id = id_;
  prompt_tokens = static_cast<int>(request.prompt.size());
  max_tokens = request.max_tokens;
  user = request.user;
  priority = request.priority;
  ttft_target_s = request.ttft_target_s;
  tpot_target_s = request.tpot_target_s;
  if (tokenizer != nullptr) decoder_.emplace(*tokenizer).follow(request.prompt);
  result.prompt_tokens = prompt_tokens;
}

Sequence::Sequence(int id_, const Sequence& from, std::uint64_t seed) : Sequence(from) {
  id = id_;
  state = SequenceState::waiting;
  computed = 0;
  kv = -1;
  preemptions = 0;
  reached = 0;
  cached_tokens = 0;
  matched_tokens = -1;
  request.n = 1;
  request.sampling.seed = seed;
  request.on_token = nullptr;
  request.on_text = nullptr;
  since_submit.reset();
  result.first_token_s = 0;
}

void Sequence::commit(SampledToken sampled, const Tokenizer* tokenizer, int context) {
  if (result.token_ids.empty()) result.first_token_s = since_submit.seconds();
  const std::int32_t token = sampled.token;
  const bool end = !request.ignore_end && tokenizer != nullptr && token < tokenizer->vocab_size() &&
                   tokenizer->is_end(token);
  const bool stop_id = std::count(request.stop_ids.begin(), request.stop_ids.end(), token) > 0;
  result.token_ids.push_back(token);
  ++output_tokens;
  if (request.on_token) request.on_token(token);
  if (request.sampling.logprobs >= 0) result.samples.push_back(std::move(sampled));
  if (end || stop_id) return finish(FinishReason::stop);

  // A model's vocabulary may be padded beyond its tokenizer's: such a token has no text.
  if (decoder_ && token < tokenizer->vocab_size()) show(decoder_->push(token));
  if (stops_.stopped()) return finish(FinishReason::stop);
  const bool full = length() >= context;
  if (full || static_cast<int>(result.token_ids.size()) >= request.max_tokens) finish(FinishReason::length);
}

void Sequence::finish(FinishReason reason) {
  if (finished()) return;
  if (decoder_ && !stops_.stopped()) {
    show(decoder_->finish());
    if (!stops_.stopped()) {
      const std::string rest = stops_.finish();
      result.text += rest;
      if (!rest.empty() && request.on_text) request.on_text(rest);
    }
  }
  result.finish_reason = reason;
  result.preemptions = preemptions;
  result.cached_tokens = cached_tokens;
  state = SequenceState::finished;
  result.total_s = since_submit.seconds();
}

void Sequence::show(std::string text) {
  const std::string shown = stops_.push(text);
  result.text += shown;
  if (!shown.empty() && request.on_text) request.on_text(shown);
}

}  // namespace rung
