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

class BpeMerger;  // tokenizer_merge.hpp

/// Texts of tokens by the names that chat templates know them by: {"bos_token", "<s>"}, {"image_token", ...}.
using TokenRoles = std::vector<std::pair<std::string, std::string>>;

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
  virtual std::string decode(std::span<const std::int32_t> ids) const = 0;

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

/// Turns a stream of ids into text without ever emitting half a UTF-8 character.
class StreamDecoder {
 public:
  explicit StreamDecoder(const Tokenizer& tokenizer) : tokenizer_(tokenizer) {}
  /// The complete characters that `id` finishes; may be empty. Bytes that can start no valid
  /// character come out as U+FFFD at once.
  std::string push(std::int32_t id);
  /// What is left at the end: an unfinished character comes out as U+FFFD.
  std::string finish();

 private:
  const Tokenizer& tokenizer_;
  std::string pending_;  // an unfinished character, at most 3 bytes
};

}  // namespace rung
