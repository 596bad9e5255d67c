#pragma once
// Converts text to token ids and back.
//
// A tokenizer is immutable after loading, and many threads can use it at the same time.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rung {

class BpeMerger;  // merge.hpp

/// Texts of tokens, by the names that chat templates use for them: {"bos_token", "<s>"}, {"image_token",
/// ...}.
using TokenRoles = std::vector<std::pair<std::string, std::string>>;

/// The state of a decoder for a stream of tokens. Each decoder, and each of its steps, uses it in its own
/// way.
struct DecodeState {
  std::string held;        // the beginning of an incomplete element
  std::string kept;        // complete text that can still change
  std::size_t tokens = 0;  // number of tokens so far
  std::size_t count = 0;
};
using DecodeProgress = std::vector<DecodeState>;

class Tokenizer {
 public:
  virtual ~Tokenizer() = default;

  /// Returns the ids of `text`. With add_special, the tokens that the model expects around a text are added
  /// (a start token before it; [CLS] and [SEP] for embedding models). Special tokens that are written out in
  /// the text ("<|endoftext|>") are recognized. All bytes are accepted. Invalid UTF-8 is encoded byte by byte
  /// if the vocabulary allows it, and otherwise as the unknown token.
  virtual std::vector<std::int32_t> encode(std::string_view text, bool add_special) const = 0;

  /// Does the same. Without parse_special, a special token that is written out in the text is treated as
  /// ordinary text. Use this for text of users: "<|im_end|>" in a message must not end the message.
  virtual std::vector<std::int32_t> encode(std::string_view text, bool add_special, bool parse_special) const;

  /// Returns the bytes that token `id` stands for inside a text. They are empty for control tokens. REQUIRES:
  /// a valid id.
  virtual std::string piece(std::int32_t id) const = 0;

  /// Returns the text of `ids` at the beginning of a text (for SentencePiece, without the space that it added
  /// in front). Special tokens are left out. Byte-level tokens can give bytes that are not valid UTF-8.
  /// utf8_repaired() makes them displayable.
  virtual std::string decode(std::span<const std::int32_t> ids) const = 0;

  /// For StreamDecoder. Appends to `text` the part of a stream's text that is certain after its next token
  /// `id`. `progress` is the state after the previous tokens, and is empty at the beginning. REQUIRES: a
  /// valid id.
  virtual void decode_next(DecodeProgress& progress, std::int32_t id, std::string& text) const {
    (void)progress;
    text += piece(id);
  }
  /// Appends the rest of the text at the end of the stream.
  virtual void decode_finish(DecodeProgress& progress, std::string& text) const {
    (void)progress, (void)text;
  }

  virtual int vocab_size() const = 0;
  /// Returns one more than the largest id that is not an added token. A text without written-out added tokens
  /// gives only ids below it.
  virtual int text_vocab_size() const { return vocab_size(); }
  virtual std::int32_t bos() const = 0;  // -1: none
  virtual std::int32_t eos() const = 0;  // -1: none
  virtual bool adds_bos() const = 0;
  /// Returns whether generation ends at this token (end of text, end of turn).
  virtual bool is_end(std::int32_t id) const = 0;
  virtual TokenRoles roles() const { return {}; }
  /// Returns one line for `rung inspect`: "SentencePiece-style BPE, 512 tokens".
  virtual std::string describe() const = 0;

  /// Returns this tokenizer with another implementation of the merge step of byte-pair encoding, or null if
  /// it has no such step (unigram, WordPiece).
  virtual std::shared_ptr<const Tokenizer> with_merger(std::shared_ptr<const BpeMerger> merger) const;
};

/// Turns a stream of ids into text. It never returns half of a UTF-8 character, or text that a later token
/// can change.
///
/// The concatenation of all returned text is Tokenizer::decode() of the same ids, with U+FFFD in place of
/// every invalid byte. The tokenizer of a GGUF file also keeps the space before the first word, which
/// decode() removes.
class StreamDecoder {
 public:
  explicit StreamDecoder(const Tokenizer& tokenizer) : tokenizer_(tokenizer) {}
  /// Makes the stream continue these ids (a prompt). The stream then returns only the text that is added to
  /// their text. Ids that the tokenizer does not have are ignored. REQUIRES: nothing was pushed yet.
  void follow(std::span<const std::int32_t> ids);
  /// Returns the text that becomes certain with `id`, which can be empty. Bytes that cannot begin a valid
  /// character are returned as U+FFFD at once.
  std::string push(std::int32_t id);
  /// Returns the rest of the text. An unfinished character is returned as U+FFFD.
  std::string finish();

 private:
  std::string whole_characters(std::string_view text);
  std::string without_known(std::string text);

  const Tokenizer& tokenizer_;
  DecodeProgress progress_;
  std::string pending_;  // an unfinished character, at most 3 bytes
  std::string known_;    // the part of the text before the stream that was not returned yet
};

}  // namespace rung
