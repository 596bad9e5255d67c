#pragma once
// Text to token ids and back.
//
// A tokenizer is immutable after loading and may be used from many threads at once.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rung {

class Tokenizer {
 public:
  virtual ~Tokenizer() = default;

  /// Ids of `text`. With add_special the model's own start token is put in front if it wants one.
  /// Special tokens written out in the text ("<|endoftext|>") are recognised. Any bytes are accepted;
  /// invalid UTF-8 is encoded byte by byte where the vocabulary can, else as the unknown token.
  virtual std::vector<std::int32_t> encode(std::string_view text, bool add_special) const = 0;

  /// The bytes that token `id` stands for inside a text; empty for control tokens. REQUIRES: a valid id.
  virtual std::string piece(std::int32_t id) const = 0;

  /// The text of `ids` from the beginning of a text (SentencePiece: without the space it put in front).
  virtual std::string decode(std::span<const std::int32_t> ids) const = 0;

  virtual int vocab_size() const = 0;
  virtual std::int32_t bos() const = 0;  // -1: none
  virtual std::int32_t eos() const = 0;  // -1: none
  virtual bool adds_bos() const = 0;
  /// Whether generation ends at this token (end of text, end of turn).
  virtual bool is_end(std::int32_t id) const = 0;
  /// One line for `rung inspect`: "SentencePiece-style BPE, 512 tokens".
  virtual std::string describe() const = 0;
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
