#pragma once
// Text to token ids and back.
//
// A tokenizer is immutable after loading and may be used from many threads at once.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rung {

class BpeMerger;  // merge.hpp

/// Texts of tokens by the names that chat templates know them by: {"bos_token", "<s>"}, {"image_token", ...}.
using TokenRoles = std::vector<std::pair<std::string, std::string>>;

/// What a decoder remembers of a stream of tokens. Each decoder, and each of its steps, has its own use for
/// it.
struct DecodeState {
  std::string held;        // the beginning of something that is not complete
  std::string kept;        // what is complete, but may still change
  std::size_t tokens = 0;  // how many tokens have come
  std::size_t count = 0;
};
using DecodeProgress = std::vector<DecodeState>;

class Tokenizer {
 public:
  virtual ~Tokenizer() = default;

  /// Ids of `text`. With add_special the tokens are put around it that the model wants there (a start token
  /// in front; [CLS] and [SEP] for embedding models). Special tokens written out in the text
  /// ("<|endoftext|>") are recognised. Any bytes are accepted; invalid UTF-8 is encoded byte by byte where
  /// the vocabulary can, else as the unknown token.
  virtual std::vector<std::int32_t> encode(std::string_view text, bool add_special) const = 0;

  /// The same; without parse_special a special token written out in the text is text like any other. That
  /// is for what users wrote: "<|im_end|>" in a message must not end it.
  virtual std::vector<std::int32_t> encode(std::string_view text, bool add_special, bool parse_special) const;

  /// The bytes that token `id` stands for inside a text; empty for control tokens. REQUIRES: a valid id.
  virtual std::string piece(std::int32_t id) const = 0;

  /// The text of `ids` from the beginning of a text (SentencePiece: without the space it put in front).
  /// Special tokens are left out. Byte-level tokens may leave bytes that are no valid UTF-8, which
  /// utf8_repaired() makes fit to be shown.
  virtual std::string decode(std::span<const std::int32_t> ids) const = 0;

  /// For StreamDecoder. Appends to `text` what is certain of the text of a stream that goes on with `id`;
  /// `progress` is what came before, and empty at the beginning. REQUIRES: a valid id.
  virtual void decode_next(DecodeProgress& progress, std::int32_t id, std::string& text) const {
    (void)progress;
    text += piece(id);
  }
  /// Appends the rest, at the end of the stream.
  virtual void decode_finish(DecodeProgress& progress, std::string& text) const {
    (void)progress, (void)text;
  }

  virtual int vocab_size() const = 0;
  /// One more than the largest id that is no added token: text alone, in which none is written out, gives ids
  /// below it.
  virtual int text_vocab_size() const { return vocab_size(); }
  virtual std::int32_t bos() const = 0;  // -1: none
  virtual std::int32_t eos() const = 0;  // -1: none
  virtual bool adds_bos() const = 0;
  /// Whether generation ends at this token (end of text, end of turn).
  virtual bool is_end(std::int32_t id) const = 0;
  virtual TokenRoles roles() const { return {}; }
  /// One line for `rung inspect`: "SentencePiece-style BPE, 512 tokens".
  virtual std::string describe() const = 0;

  /// This tokenizer with another implementation of the merge step of byte-pair encoding; null where it has
  /// no such step (unigram, WordPiece).
  virtual std::shared_ptr<const Tokenizer> with_merger(std::shared_ptr<const BpeMerger> merger) const;
};

/// Turns a stream of ids into text without ever emitting half a UTF-8 character or what a later token
/// changes.
///
/// All that it gives out, together, is Tokenizer::decode() of the same ids with every invalid byte as U+FFFD.
/// A GGUF file's tokenizer also keeps the space in front of the first word, which decode() drops.
class StreamDecoder {
 public:
  explicit StreamDecoder(const Tokenizer& tokenizer) : tokenizer_(tokenizer) {}
  /// Makes the stream go on behind these ids (a prompt): what comes out is what the text has more than
  /// theirs. Ids that the tokenizer does not have are left out. REQUIRES: nothing was pushed yet.
  void follow(std::span<const std::int32_t> ids);
  /// The text that is certain with `id`; may be empty. Bytes that can start no valid character come out as
  /// U+FFFD at once.
  std::string push(std::int32_t id);
  /// What is left at the end: an unfinished character comes out as U+FFFD.
  std::string finish();

 private:
  std::string whole_characters(std::string_view text);
  std::string without_known(std::string text);

  const Tokenizer& tokenizer_;
  DecodeProgress progress_;
  std::string pending_;  // an unfinished character, at most 3 bytes
  std::string known_;    // of the text before the stream, what has not come out yet
};

}  // namespace rung
