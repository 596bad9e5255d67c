#pragma once
// A request's life inside a serving loop.

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

/// A request in the loop: what the scheduler sees of it, its tokens, and its text so far.
struct Sequence : ScheduledSequence {
  Sequence(int id_, Request request_, const Tokenizer* tokenizer);
  /// A fork: it has the request and the text so far of `from`, and continues it with its own draws and
  /// without a listener. It has no place in the cache yet.
  Sequence(int id_, const Sequence& from, std::uint64_t seed);
  Sequence(const Sequence& other);
  Sequence& operator=(const Sequence&) = delete;

  Request request;
  std::unique_ptr<Constraint> constraint;  // as its text so far has left it; null: there is none
  Result result;

  /// Token at position p of prompt followed by generated tokens.
  std::int32_t token(int p) const {
    const auto i = static_cast<std::size_t>(p);
    const std::size_t prompt = request.prompt.size();
    return i < prompt ? request.prompt[i] : result.token_ids[i - prompt];
  }
  /// What an executor reads of it, until it gains its next token.
  StepText step_text() const {
    return {id, request.prompt, result.token_ids, &request.sampling, constraint.get()};
  }
  bool finished() const { return result.finish_reason != FinishReason::none; }

  /// Appends a sampled token at `now_s`, on the clock of arrival_s: decides what of its text can be shown and
  /// whether the sequence ends, and calls the request's listener. `context`: tokens after which it ends.
  void commit(SampledToken sampled, const Tokenizer* tokenizer, int context, double now_s);
  /// Ends the sequence, if it has not ended, and calls the listener.
  void finish(FinishReason reason, double now_s);

  std::int64_t planned_step = 0;  // the last step that had a chunk of it

 private:
  void append(SampledToken sampled, const Tokenizer* tokenizer, int context, double now_s, Delta& delta);
  void end(FinishReason reason, double now_s, Delta& delta);
  void show(const std::string& text, Delta& delta);
  std::optional<StreamDecoder> decoder_;  // none for a model without a tokenizer
  StopChecker stops_;
};

}  // namespace rung
