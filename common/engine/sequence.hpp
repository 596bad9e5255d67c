#pragma once
// A request and its life inside the engine.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/timer.hpp"
#include "engine/stop_checker.hpp"
#include "seams/sampler.hpp"
#include "seams/scheduler.hpp"
#include "text/tokenizer/tokenizer.hpp"

namespace rung {

struct Request {
  std::vector<std::int32_t> prompt;  // token ids, at least one
  int max_tokens = 128;              // at least 1
  int n = 1;  // samples of this prompt, at least 1: sample i draws with sampling.seed + i
  SamplingParams sampling;
  std::vector<std::string> stop;       // generation ends when one appears; it is not part of the text
  std::vector<std::int32_t> stop_ids;  // generation ends at one of these tokens; its text is not shown
  bool ignore_end = false;             // go on past the model's end-of-text token
  // Of n samples they hear the first; see Engine::submit() for the others.
  std::function<void(std::int32_t token)> on_token;    // every token, as it is sampled
  std::function<void(std::string_view text)> on_text;  // complete characters, as they become certain

  // For policies, see ScheduledSequence.
  std::uint64_t cache_salt = 0;  // texts with different salts never share cached blocks
  int user = 0;
  int priority = 0;
  double ttft_target_s = 0, tpot_target_s = 0;
};

/// Who hears what a fork or a further sample generates; see Request.
struct Listeners {
  std::function<void(std::int32_t token)> on_token;
  std::function<void(std::string_view text)> on_text;
};

enum class FinishReason { none, stop, length, cancelled };
std::string_view state_name(SequenceState state);          // "waiting", "running", "preempted", "finished"
std::string_view finish_reason_name(FinishReason reason);  // "stop", "length", "cancelled"

struct Result {
  std::string text;
  std::vector<std::int32_t> token_ids;
  std::vector<SampledToken> samples;  // one per token, when logprobs were asked for
  int prompt_tokens = 0;
  FinishReason finish_reason = FinishReason::none;
  double first_token_s = 0;  // from submit to the first token
  double total_s = 0;        // from submit to the end
  int cached_tokens = 0;     // of the prompt, that were in the cache already
  int preemptions = 0;       // how often it lost its place in the cache
};

/// A request in the engine: what the scheduler sees of it, its tokens, and its text so far.
struct Sequence : ScheduledSequence {
  Sequence(int id_, Request request_, const Tokenizer* tokenizer);
  /// A fork: the request and the text so far of `from`, which it goes on from by itself, with its own draws
  /// and without listeners. It has no place in the cache yet.
  Sequence(int id_, const Sequence& from, std::uint64_t seed);

  Request request;
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

  /// Appends a sampled token: streams text, decides whether the sequence ends.
  void commit(SampledToken sampled, const Tokenizer* tokenizer, int context);
  void finish(FinishReason reason);

 private:
  void show(std::string text);
  std::optional<StreamDecoder> decoder_;  // none for a model without a tokenizer
  StopChecker stops_;
};

}  // namespace rung
