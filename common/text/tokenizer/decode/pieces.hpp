#pragma once
// Decoders that concatenate one piece per token: those of GGUF files and of SentencePiece models.

#include <cstdint>
#include <memory>
#include <optional>

#include "text/tokenizer/decode/decode.hpp"
#include "text/tokenizer/split/normalize.hpp"
#include "text/tokenizer/vocab.hpp"

namespace rung {

/// How the text of a token encodes the text that it stands for.
enum class PieceStyle : std::uint8_t {
  visible_bytes,  // one visible character per byte (byte-level)
  visible_space,  // U+2581 is a space
  word_piece,     // a token that does not begin with "##" has a space before it, unless it is the first
};

/// Where the tokenizer added a space before a text, which decode() removes again.
enum class SpacePrefix : std::uint8_t {
  none,
  every_text,      // at the beginning of the whole text, and after every special or user-defined token
  after_controls,  // the same places, and after every special token
};

/// Returns the decoder of a GGUF file. A stream continues another text, as in llama.cpp, and keeps the space
/// before its first word. Invalid UTF-8 is not changed.
std::shared_ptr<const TokenDecoder> piece_decoder(const Vocab& vocab, PieceStyle style,
                                                  SpacePrefix prefix = SpacePrefix::none);

struct SentencePieceDecoding {
  bool space_in_front = true;                 // add_dummy_prefix: the first U+2581 of a text is removed
  bool remove_extra_spaces = true;            // also that of every token before the first text
  std::string unknown = " \xE2\x81\x87 ";     // the text of the unknown token
  std::optional<NormalizerStep> denormalize;  // changes the whole text at the end
};

/// Returns the decoder of the sentencepiece library (SentencePieceProcessor::Decode()).
std::shared_ptr<const TokenDecoder> sentencepiece_decoder(const Vocab& vocab, SentencePieceDecoding decoding);

}  // namespace rung
