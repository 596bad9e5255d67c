// Decoders that add up pieces.

#include "text/tokenizer/decode/pieces.hpp"

#include "text/tokenizer/models/bpe.hpp"
#include "text/utf8.hpp"

namespace rung {
namespace {

std::string piece_of(const Vocab& vocab, PieceStyle style, std::int32_t id) {
  const std::string& token = vocab.token(id);
  switch (vocab.type(id)) {
    case TokenType::control:
    case TokenType::unused:
      return "";
    case TokenType::unknown:
      return std::string(kReplacementCharacter);
    case TokenType::byte:
      return {static_cast<char>(named_byte(token))};
    case TokenType::user_defined:  // written as it is
      return style == PieceStyle::visible_space ? replaced_all(token, kVisibleSpace, " ") : token;
    case TokenType::normal:
      break;
  }
  switch (style) {
    case PieceStyle::visible_bytes:
      return from_visible_bytes(token);
    case PieceStyle::visible_space:
      return replaced_all(token, kVisibleSpace, " ");
    case PieceStyle::word_piece:
      break;
  }
  const bool continues = token.size() > 2 && token.starts_with("##");
  return cleaned_up(continues ? token.substr(2) : " " + token);
}

class PieceDecoder final : public TokenDecoder {
 public:
  PieceDecoder(const Vocab& vocab, PieceStyle style, SpacePrefix prefix)
      : types_(vocab.types), words_(style == PieceStyle::word_piece), prefix_(prefix) {
    for (std::int32_t id = 0; id < vocab.size(); ++id) pieces_.push_back(piece_of(vocab, style, id));
  }
  std::string piece(std::int32_t id) const override { return pieces_[static_cast<std::size_t>(id)]; }
  void next(DecodeProgress&, std::int32_t id, std::string& text) const override {
    text += pieces_[static_cast<std::size_t>(id)];
  }
  void finish(DecodeProgress&, std::string&) const override {}

  std::string decode(std::span<const std::int32_t> ids) const override {
    std::string text;
    bool at_start = words_ || prefix_ != SpacePrefix::none;
    for (const std::int32_t id : ids) {
      const std::string& piece = pieces_[static_cast<std::size_t>(id)];
      const TokenType type = types_[static_cast<std::size_t>(id)];
      if (!words_ && (type == TokenType::control || type == TokenType::user_defined)) {
        text += piece;
        at_start = prefix_ == SpacePrefix::every_text ||
                   (prefix_ == SpacePrefix::after_controls && type == TokenType::control) ||
                   (at_start && type == TokenType::control);
        continue;
      }
      if (piece.empty()) continue;
      text.append(piece, at_start && piece.front() == ' ' ? 1 : 0);
      at_start = false;
    }
    return text;
  }

 private:
  std::vector<std::string> pieces_;
  std::vector<TokenType> types_;
  bool words_;
  SpacePrefix prefix_;
};

/// In its single DecodeState `held` is the beginning of a character given as bytes, `tokens` is 1 once no
/// more U+2581 is dropped, `count` is 1 once there is text, and `kept` is the whole text where it is changed
/// at the end.
class SentencePieceDecoder final : public TokenDecoder {
 public:
  SentencePieceDecoder(const Vocab& vocab, SentencePieceDecoding decoding)
      : tokens_(vocab.tokens), types_(vocab.types), decoding_(std::move(decoding)) {
    for (std::size_t id = 0; id < tokens_.size(); ++id) {
      if (types_[id] == TokenType::unknown) tokens_[id] = decoding_.unknown;
    }
  }

  std::string piece(std::int32_t id) const override {
    const std::string& token = tokens_[static_cast<std::size_t>(id)];
    switch (types_[static_cast<std::size_t>(id)]) {
      case TokenType::control:
        return "";
      case TokenType::unknown:
        return token;
      case TokenType::byte:
        return {static_cast<char>(named_byte(token))};
      default:
        return replaced_all(token, kVisibleSpace, " ");
    }
  }

  void next(DecodeProgress& progress, std::int32_t id, std::string& text) const override {
    progress.resize(1);
    DecodeState& state = progress.front();
    const TokenType type = types_[static_cast<std::size_t>(id)];
    std::string& out = decoding_.denormalize ? state.kept : text;
    const std::size_t before = out.size();
    if (type == TokenType::byte) {
      state.held += static_cast<char>(named_byte(tokens_[static_cast<std::size_t>(id)]));
      flush_bytes(state, false, out);
    } else {
      flush_bytes(state, true, out);
      if (state.count > 0 || out.size() > before) state.tokens = 1;
      append(state, id, type, out);
    }
    if (out.size() > before) state.count = 1;
  }

  void finish(DecodeProgress& progress, std::string& text) const override {
    progress.resize(1);
    DecodeState& state = progress.front();
    flush_bytes(state, true, decoding_.denormalize ? state.kept : text);
    if (decoding_.denormalize) {
      NormalizerState whole;
      text += (*decoding_.denormalize)(state.kept, whole);
    }
    progress.clear();
  }

 private:
  void append(DecodeState& state, std::int32_t id, TokenType type, std::string& out) const {
    std::string_view token = tokens_[static_cast<std::size_t>(id)];
    if (type == TokenType::control) return;
    if (type == TokenType::unknown) {
      out += token;
      return;
    }
    const bool drops = decoding_.space_in_front || decoding_.remove_extra_spaces;
    if (drops && state.tokens == 0 && token.starts_with(kVisibleSpace)) {
      token.remove_prefix(kVisibleSpace.size());
      if (!decoding_.remove_extra_spaces) state.tokens = 1;
    }
    out += replaced_all(token, kVisibleSpace, " ");
  }

  /// Whole characters; every other byte is U+FFFD, at the end of a run of bytes those of an unfinished one
  /// too.
  static void flush_bytes(DecodeState& state, bool run_ends, std::string& out) {
    std::size_t at = 0;
    while (at < state.held.size()) {
      const Utf8Step step = utf8_next(state.held, at);
      if (step.kind == Utf8Step::Kind::unfinished && !run_ends) break;
      const bool whole = step.kind == Utf8Step::Kind::character;
      out += whole ? std::string_view(state.held).substr(at, step.length) : kReplacementCharacter;
      at += whole ? step.length : 1;
    }
    state.held.erase(0, at);
  }

  std::vector<std::string> tokens_;
  std::vector<TokenType> types_;
  SentencePieceDecoding decoding_;
};

}  // namespace

std::shared_ptr<const TokenDecoder> piece_decoder(const Vocab& vocab, PieceStyle style, SpacePrefix prefix) {
  return std::make_shared<PieceDecoder>(vocab, style, prefix);
}

std::shared_ptr<const TokenDecoder> sentencepiece_decoder(const Vocab& vocab,
                                                          SentencePieceDecoding decoding) {
  return std::make_shared<SentencePieceDecoder>(vocab, std::move(decoding));
}

}  // namespace rung
