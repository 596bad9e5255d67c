#pragma once
// The state of one request inside a serving loop.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "loop/stop_checker.hpp"
#include "seams/constraint.hpp"
#include "seams/executor.hpp"
#include "seams/request.hpp"
#include "seams/scheduler.hpp"
#include "text/tokenizer/tokenizer.hpp"

namespace rung {

/// A request in the loop: the data that the scheduler sees, the tokens, and the text so far.
struct Sequence : ScheduledSequence {
  Sequence(int id_, Request request_, const Tokenizer* tokenizer);
  /// Makes a fork. It has the request and the current text of `from`, continues this text with its own random
  /// draws, and has no listener. It has no place in the cache yet.
  Sequence(int id_, const Sequence& from, std::uint64_t seed);
  Sequence(const Sequence& other);
  Sequence& operator=(const Sequence&) = delete;

  Request request;
  std::unique_ptr<Constraint> constraint;  // its state after the text so far; null: every token is allowed
  Result result;

  /// Returns the token at position p of the text, which is the prompt and the generated tokens.
  std::int32_t token(int p) const {
    const auto i = static_cast<std::size_t>(p);
    const std::size_t prompt = request.prompt.size();
    return i < prompt ? request.prompt[i] : result.token_ids[i - prompt];
  }
  /// Returns the part of the sequence that an executor reads. It is valid until the next call of commit().
  StepText step_text() const {
    return {id, request.prompt, result.token_ids, &request.sampling, constraint.get()};
  }
  bool finished() const { return result.finish_reason != FinishReason::none; }

  /// Appends a sampled token, decides which text can be shown and whether the sequence ends, and calls the
  /// request's listener. `context` is the length in tokens at which the sequence ends, and `now_s` is the
  /// time on the clock of arrival_s.
  void commit(SampledToken sampled, const Tokenizer* tokenizer, int context, double now_s);
  /// Ends the sequence and calls the listener. Does nothing if the sequence has already ended.
  void finish(FinishReason reason, double now_s);

  std::int64_t planned_step = 0;  // number of the last step with a chunk of this sequence

 private:
  void append(SampledToken sampled, const Tokenizer* tokenizer, int context, double now_s, Delta& delta);
  void end(FinishReason reason, double now_s, Delta& delta);
  void show(const std::string& text, Delta& delta);
  std::optional<StreamDecoder> decoder_;  // empty for a model without a tokenizer
  StopChecker stops_;
};

}  // namespace rung
