#pragma once
// Turns token ids back into text: the common interface of all decoders, and the steps of a tokenizer.json's
// decoder.
//
// The decoders of github.com/huggingface/tokenizers (tokenizers/src/decoders) take a list of token texts and
// return another list, whose joined texts are the result. Here, each decoder is a step, and the same texts
// pass through the steps one after another. A whole list and a stream of tokens are therefore decoded by the
// same code. A step holds text back only as long as later tokens can change it.

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/tokenizer/tokenizer.hpp"

namespace rung {

/// Turns ids into text. Immutable, and many threads can use it at the same time. All functions REQUIRE valid
/// ids.
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
  /// Processes more text of the current token, which consists of whole characters. `ends` says that the token
  /// is now complete.
  virtual void part(DecodeState& state, std::string_view text, bool ends, DecodeNext next) const = 0;
  /// Called when no token follows. Passes on the text that was held back, and then the end itself.
  virtual void finish(DecodeState& state, DecodeNext next) const;

  /// Returns whether the result for a token does not depend on its neighbors. Such steps at the front of a
  /// decoder are applied once per token by local(), when the vocabulary is loaded.
  virtual bool is_local() const { return false; }
  /// Returns the result for a whole token. REQUIRES: is_local().
  virtual std::string local(std::string_view token) const { return std::string(token); }

  /// Returns whether this step, as the last one, would only repair invalid UTF-8. Such a step is left out,
  /// because decode() keeps invalid bytes, and the code that shows the text repairs them.
  virtual bool only_repairs() const { return false; }
  /// Returns whether this step joins all tokens into one.
  virtual bool fuses() const { return false; }
  /// Returns the result for `token` in the middle of a text, for Tokenizer::piece(). `fused` says that an
  /// earlier step joins all tokens.
  virtual std::string inside(std::string_view token, bool fused) const = 0;
};

using DecodeSteps = std::vector<std::shared_ptr<const DecodeStep>>;

/// The receiver of a step's text: the next step or, after the last one, the end of a text.
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

/// The decoder of a tokenizer.json with its vocabulary.
class StepDecoder final : public TokenDecoder {
 public:
  /// `texts` has the input of the first step for each id. `skipped` marks the ids that stand for no text
  /// (special tokens, and ids without a token).
  StepDecoder(std::vector<std::string> texts, std::vector<bool> skipped, DecodeSteps steps);
  std::string piece(std::int32_t id) const override;
  void next(DecodeProgress& progress, std::int32_t id, std::string& text) const override;
  void finish(DecodeProgress& progress, std::string& text) const override;

 private:
  DecodeNext first(DecodeProgress& progress, std::string& text) const;

  std::vector<std::string> texts_;  // after the local steps at the front
  std::vector<bool> skipped_;
  DecodeSteps steps_;  // the others
};

namespace decode_step {

/// Adds ByteLevel. It turns visible characters into the bytes that they stand for (GPT-2), and joins all
/// tokens into one text. The steps after it see U+FFFD in place of invalid UTF-8.
void add_byte_level(DecodeSteps& steps);
/// Puts a space before a token that does not begin with `prefix`, unless it is the first.
std::shared_ptr<const DecodeStep> word_piece(std::string prefix, bool clean_up);
/// Replaces the character `replacement` by a space. In the first token, removes it if drop_first is set.
std::shared_ptr<const DecodeStep> metaspace(std::string replacement, bool drop_first);
/// Replaces `suffix` by a space, and removes it in the last token.
std::shared_ptr<const DecodeStep> word_suffix(std::string suffix);
/// Removes at most `start` and `stop` characters that equal `content` from the beginning and the end of each
/// token.
std::shared_ptr<const DecodeStep> strip(std::string content, std::size_t start, std::size_t stop);
std::shared_ptr<const DecodeStep> replace_text(std::string from, std::string to);
std::shared_ptr<const DecodeStep> replace_pattern(const std::string& source, const std::string& pattern,
                                                  std::string to);
/// Joins all tokens into one.
std::shared_ptr<const DecodeStep> fuse();
/// Replaces a run of tokens "<0x41>" by the text of these bytes. If they are not valid UTF-8, each byte
/// becomes U+FFFD.
std::shared_ptr<const DecodeStep> byte_fallback();
/// Keeps one of several equal neighbors, and removes `pad`. With clean_up, also replaces `word_delimiter` by
/// spaces.
std::shared_ptr<const DecodeStep> ctc(std::string pad, std::string word_delimiter, bool clean_up);
/// The default if there is no decoder: puts spaces between the tokens.
std::shared_ptr<const DecodeStep> join_with_spaces();

}  // namespace decode_step

/// Returns `text` with every `from` replaced. An empty `from` is found around every character, as in Rust's
/// replace().
std::string replaced_all(std::string_view text, std::string_view from, std::string_view to);
/// Removes the space before English contractions and punctuation, as `tokenizers` does.
std::string cleaned_up(std::string text);

}  // namespace rung
