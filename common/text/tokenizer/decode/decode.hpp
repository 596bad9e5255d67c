#pragma once
// Token ids back to text: what all ways of doing it have in common, and the steps of a tokenizer.json's
// decoder.
//
// The decoders of github.com/huggingface/tokenizers (tokenizers/src/decoders) take a list of token texts and
// return another list, whose texts joined are the result. Here each is a step through which the same texts
// pass one after the other, so that a whole list and a stream of tokens are decoded by the same code. A step
// keeps text back for as long as tokens to come can change it, and no longer.

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/tokenizer/tokenizer.hpp"

namespace rung {

/// From ids to text. Immutable; may be used from many threads at once. REQUIRES everywhere: valid ids.
class TokenDecoder {
 public:
  virtual ~TokenDecoder() = default;
  /// See Tokenizer::piece(), decode(), decode_next() and decode_finish().
  virtual std::string piece(std::int32_t id) const = 0;
  virtual std::string decode(std::span<const std::int32_t> ids) const;
  virtual void next(DecodeProgress& progress, std::int32_t id, std::string& text) const = 0;
  virtual void finish(DecodeProgress& progress, std::string& text) const = 0;
};

class DecodeNext;

class DecodeStep {
 public:
  virtual ~DecodeStep() = default;
  /// More text of the current token, all of it whole characters; `ends`: now the token is complete.
  virtual void part(DecodeState& state, std::string_view text, bool ends, DecodeNext next) const = 0;
  /// No token follows. Passes on what was kept back, then the end itself.
  virtual void finish(DecodeState& state, DecodeNext next) const;

  /// Whether a token always becomes the same, whatever lies around it. Such steps at the front of a decoder
  /// are taken once per token, when the vocabulary is loaded, by local().
  virtual bool is_local() const { return false; }
  /// What a whole token becomes. REQUIRES: is_local().
  virtual std::string local(std::string_view token) const { return std::string(token); }

  /// Whether, as the last step, it would only repair what is no valid UTF-8. That is left out: decode() keeps
  /// such bytes, which the code that shows the text repairs.
  virtual bool only_repairs() const { return false; }
  /// Whether all tokens are one behind this step.
  virtual bool fuses() const { return false; }
  /// What `token` becomes in the middle of a text, for Tokenizer::piece(); `fused`: a step that fuses came
  /// before.
  virtual std::string inside(std::string_view token, bool fused) const = 0;
};

using DecodeSteps = std::vector<std::shared_ptr<const DecodeStep>>;

/// Where a step passes its text on: to the step behind it or, behind the last one, to the end of a text.
class DecodeNext {
 public:
  DecodeNext(std::span<const std::shared_ptr<const DecodeStep>> steps, DecodeState* states, std::string& text)
      : steps_(steps), states_(states), text_(&text) {}
  void part(std::string_view text, bool ends) const {
    if (steps_.empty()) {
      text_->append(text);
    } else {
      steps_.front()->part(*states_, text, ends, behind());
    }
  }
  void finish() const {
    if (!steps_.empty()) steps_.front()->finish(*states_, behind());
  }

 private:
  DecodeNext behind() const { return {steps_.subspan(1), states_ + 1, *text_}; }
  std::span<const std::shared_ptr<const DecodeStep>> steps_;
  DecodeState* states_;
  std::string* text_;
};

/// A tokenizer.json's decoder over its vocabulary.
class StepDecoder final : public TokenDecoder {
 public:
  /// texts: by id, what goes into the first step. skipped: the ids that stand for no text (special tokens,
  /// ids that no token has).
  StepDecoder(std::vector<std::string> texts, std::vector<bool> skipped, DecodeSteps steps);
  std::string piece(std::int32_t id) const override;
  void next(DecodeProgress& progress, std::int32_t id, std::string& text) const override;
  void finish(DecodeProgress& progress, std::string& text) const override;

 private:
  DecodeNext first(DecodeProgress& progress, std::string& text) const;

  std::vector<std::string> texts_;  // behind the local steps at the front
  std::vector<bool> skipped_;
  DecodeSteps steps_;  // the others
};

namespace decode_step {

/// Adds ByteLevel: visible characters as the bytes that they stand for (GPT-2), all tokens as one text, in
/// which invalid UTF-8 is U+FFFD for the steps behind it.
void add_byte_level(DecodeSteps& steps);
/// A token that does not begin with `prefix` has a space in front, unless it is the first.
std::shared_ptr<const DecodeStep> word_piece(std::string prefix, bool clean_up);
/// The character `replacement` as a space; in the first token, where drop_first is set, as nothing.
std::shared_ptr<const DecodeStep> metaspace(std::string replacement, bool drop_first);
/// `suffix` as a space; in the last token as nothing.
std::shared_ptr<const DecodeStep> word_suffix(std::string suffix);
/// Drops at most `start` and `stop` characters that are `content` from the ends of each token.
std::shared_ptr<const DecodeStep> strip(std::string content, std::size_t start, std::size_t stop);
std::shared_ptr<const DecodeStep> replace_text(std::string from, std::string to);
std::shared_ptr<const DecodeStep> replace_pattern(const std::string& source, const std::string& pattern,
                                                  std::string to);
/// All tokens as one.
std::shared_ptr<const DecodeStep> fuse();
/// Runs of tokens "<0x41>" as the text of these bytes; where they are no valid UTF-8, each is U+FFFD.
std::shared_ptr<const DecodeStep> byte_fallback();
/// Of equal neighbors one, without `pad`; clean_up: with spaces for `word_delimiter` as well.
std::shared_ptr<const DecodeStep> ctc(std::string pad, std::string word_delimiter, bool clean_up);
/// What stands for a decoder where there is none: spaces between the tokens.
std::shared_ptr<const DecodeStep> join_with_spaces();

}  // namespace decode_step

/// `text` with every `from` replaced. An empty `from` is found around every character, as in Rust's
/// replace().
std::string replaced_all(std::string_view text, std::string_view from, std::string_view to);
/// English contractions and punctuation without the space in front, as `tokenizers` has it.
std::string cleaned_up(std::string text);

}  // namespace rung
