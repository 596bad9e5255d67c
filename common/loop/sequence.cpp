#include "loop/sequence.hpp"

#include <algorithm>

namespace rung {

Sequence::Sequence(int id_, Request request_, const Tokenizer* tokenizer)
    : request(std::move(request_)), stops_(request.stop) {
  id = id_;
  prompt_tokens = static_cast<int>(request.prompt.size());
  max_tokens = request.max_tokens;
  user = request.user;
  priority = request.priority;
  ttft_target_s = request.ttft_target_s;
  tpot_target_s = request.tpot_target_s;
  if (request.constraint != nullptr) constraint = request.constraint->clone();
  if (tokenizer != nullptr) decoder_.emplace(*tokenizer).follow(request.prompt);
  result.prompt_tokens = prompt_tokens;
}

Sequence::Sequence(const Sequence& other)
    : ScheduledSequence(other),
      request(other.request),
      constraint(other.constraint != nullptr ? other.constraint->clone() : nullptr),
      result(other.result),
      planned_step(other.planned_step),
      decoder_(other.decoder_),
      stops_(other.stops_) {}

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
  request.on_delta = nullptr;
  in_flight = 0;
  result.first_token_s = 0;
}

void Sequence::commit(SampledToken sampled, const Tokenizer* tokenizer, int context, double now_s) {
  Delta delta;
  append(std::move(sampled), tokenizer, context, now_s, delta);
  if (request.on_delta) request.on_delta(delta);
}

void Sequence::append(SampledToken sampled, const Tokenizer* tokenizer, int context, double now_s,
                      Delta& delta) {
  if (result.token_ids.empty()) result.first_token_s = now_s - arrival_s;
  const std::int32_t token = sampled.token;
  const bool is_end = !request.ignore_end && tokenizer != nullptr && token < tokenizer->vocab_size() &&
                      tokenizer->is_end(token);
  const bool stop_id = std::count(request.stop_ids.begin(), request.stop_ids.end(), token) > 0;
  if (constraint != nullptr) constraint->accept(token);
  result.token_ids.push_back(token);
  delta.token_ids.push_back(token);
  ++output_tokens;
  if (request.sampling.logprobs >= 0) {
    delta.samples.push_back(sampled);
    result.samples.push_back(std::move(sampled));
  }
  if (is_end || stop_id) return end(FinishReason::stop, now_s, delta);

  // A model's vocabulary may be larger than its tokenizer's, because of padding. Such a token has no text.
  if (decoder_ && token < tokenizer->vocab_size()) show(decoder_->push(token), delta);
  if (stops_.stopped()) return end(FinishReason::stop, now_s, delta);
  const bool full = length() >= context;
  if (full || static_cast<int>(result.token_ids.size()) >= request.max_tokens) {
    end(FinishReason::length, now_s, delta);
  }
}

void Sequence::finish(FinishReason reason, double now_s) {
  if (finished()) return;
  Delta delta;
  end(reason, now_s, delta);
  if (request.on_delta) request.on_delta(delta);
}

void Sequence::end(FinishReason reason, double now_s, Delta& delta) {
  if (decoder_ && !stops_.stopped()) {
    show(decoder_->finish(), delta);
    if (!stops_.stopped()) {
      const std::string rest = stops_.finish();
      result.text += rest;
      delta.text += rest;
    }
  }
  result.finish_reason = delta.finish_reason = reason;
  result.preemptions = preemptions;
  result.cached_tokens = cached_tokens;
  state = SequenceState::finished;
  result.total_s = now_s - arrival_s;
}

void Sequence::show(const std::string& text, Delta& delta) {
  const std::string shown = stops_.push(text);
  result.text += shown;
  delta.text += shown;
}

}  // namespace rung
