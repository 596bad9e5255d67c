#pragma once
// Decoders that add up pieces, one per token: those of GGUF files and of SentencePiece models.

#include <cstdint>
#include <memory>
#include <optional>

#include "text/tokenizer/decode/decode.hpp"
#include "text/tokenizer/split/normalize.hpp"
#include "text/tokenizer/vocab.hpp"

namespace rung {

/// What a token's text says of the text it stands for.
enum class PieceStyle : std::uint8_t {
  visible_bytes,  // one visible character per byte (byte-level)
  visible_space,  // U+2581 is a space
  word_piece,     // a token that does not begin with "##" has a space in front, unless it is the first
};

/// Where a text was given a space in front, which decode() takes away again.
enum class SpacePrefix : std::uint8_t {
  none,
  every_text,      // at the beginning of the whole text, and after every special or user-defined token
  after_controls,  // there, and after every special token
};

/// The decoder of a GGUF file. A stream is what goes on behind another text, as with llama.cpp: it keeps the
/// space in front of its first word. Bytes that are no valid UTF-8 stay as they are.
std::shared_ptr<const TokenDecoder> piece_decoder(const Vocab& vocab, PieceStyle style,
                                                  SpacePrefix prefix = SpacePrefix::none);

struct SentencePieceDecoding {
  bool space_in_front = true;                 // add_dummy_prefix: the first U+2581 of a text goes
  bool remove_extra_spaces = true;            // that of every token in front of the first text goes
  std::string unknown = " \xE2\x81\x87 ";     // what the unknown token stands for
  std::optional<NormalizerStep> denormalize;  // changes the whole text at the end
};

/// The decoder of the sentencepiece library (SentencePieceProcessor::Decode()).
std::shared_ptr<const TokenDecoder> sentencepiece_decoder(const Vocab& vocab, SentencePieceDecoding decoding);

}  // namespace rung
