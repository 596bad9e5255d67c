#pragma once
// A request's life inside the engine.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "core/timer.hpp"
#include "engine/stop_checker.hpp"
#include "seams/constraint.hpp"
#include "seams/request.hpp"
#include "seams/scheduler.hpp"
#include "text/tokenizer/tokenizer.hpp"

namespace rung {

/// A request in the engine: what the scheduler sees of it, its tokens, and its text so far.
struct Sequence : ScheduledSequence {
  Sequence(int id_, Request request_, const Tokenizer* tokenizer);
  /// A fork: the request and the text so far of `from`, which it goes on from by itself, with its own draws
  /// and without a listener. It has no place in the cache yet.
  Sequence(int id_, const Sequence& from, std::uint64_t seed);
  Sequence(const Sequence& other);
  Sequence& operator=(const Sequence&) = delete;

  Request request;
  std::unique_ptr<Constraint> constraint;  // as its text so far has left it; null: there is none
  Result result;
  Timer since_submit;

  /// Token at position p of prompt followed by generated tokens.
  std::int32_t token(int p) const {
    const auto i = static_cast<std::size_t>(p);
    const std::size_t prompt = request.prompt.size();
    return i < prompt ? request.prompt[i] : result.token_ids[i - prompt];
  }
  /// All tokens so far, and the salt.
  template <class Text>
  void text_to(Text& text) const {
    text.tokens = request.prompt;
    text.tokens.insert(text.tokens.end(), result.token_ids.begin(), result.token_ids.end());
    text.salt = request.cache_salt;
  }
  bool finished() const { return result.finish_reason != FinishReason::none; }

  /// Appends a sampled token: decides what of its text can be shown and whether the sequence ends, and tells
  /// the request's listener.
  void commit(SampledToken sampled, const Tokenizer* tokenizer, int context);
  /// Ends the sequence, if it has not ended, and tells the listener.
  void finish(FinishReason reason);

 private:
  void append(SampledToken sampled, const Tokenizer* tokenizer, int context, Delta& delta);
  void end(FinishReason reason, Delta& delta);
  void show(const std::string& text, Delta& delta);
  std::optional<StreamDecoder> decoder_;  // none for a model without a tokenizer
  StopChecker stops_;
};

}  // namespace rung
