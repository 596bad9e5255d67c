// The pipeline.

#include "model/tokenizer_text.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "model/tokenizer_bpe.hpp"
#include "model/tokenizer_cache.hpp"
#include "model/tokenizer_utf8.hpp"

namespace rung {
namespace {

std::string replaced(std::string_view text, std::string_view from, std::string_view to) {
  std::string result;
  while (true) {
    const std::size_t at = text.find(from);
    result += text.substr(0, at);
    if (at == std::string_view::npos) return result;
    result += to;
    text.remove_prefix(at + from.size());
  }
}

/// English contractions and punctuation without the space in front, as tokenizers' WordPiece decoder has it.
std::string cleaned_up(std::string text) {
  constexpr std::pair<std::string_view, std::string_view> kRules[] = {
      {" .", "."},   {" ?", "?"},           {" !", "!"},   {" ,", ","},     {" ' ", "'"},   {" n't", "n't"},
      {" 'm", "'m"}, {" do not", " don't"}, {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"}};
  for (const auto& [from, to] : kRules) text = replaced(text, from, to);
  return text;
}

/// Where the word that begins at text[at] ends: in front of the next U+2581 that follows something else.
std::size_t word_end(std::string_view text, std::size_t at) {
  while (text.substr(at, kVisibleSpace.size()) == kVisibleSpace) at += kVisibleSpace.size();
  return std::min(text.find(kVisibleSpace, at), text.size());
}

}  // namespace

TextTokenizer::TextTokenizer(Vocab vocab, const std::function<TextParts(const Vocab&)>& make)
    : VocabTokenizer(std::move(vocab)), parts_(make(vocab_)) {
  for (std::int32_t id = 0; id < vocab_.size(); ++id) set_piece(id, piece_of(id));
  add_normalized_tokens();
}

std::string TextTokenizer::piece_of(std::int32_t id) const {
  const std::string& token = vocab_.token(id);
  switch (vocab_.type(id)) {
    case TokenType::control:
    case TokenType::unused:
      return "";
    case TokenType::unknown:
      return std::string(kReplacementCharacter);
    case TokenType::byte:
      return {static_cast<char>(named_byte(token))};
    case TokenType::user_defined:  // written as it is
      return parts_.pieces == PieceStyle::visible_space ? replaced(token, kVisibleSpace, " ") : token;
    case TokenType::normal:
      break;
  }
  switch (parts_.pieces) {
    case PieceStyle::visible_bytes:
      return from_visible_bytes(token);
    case PieceStyle::visible_space:
      return replaced(token, kVisibleSpace, " ");
    case PieceStyle::word_piece: {
      const std::string_view affix = parts_.affix;
      const bool marked =
          token.size() > affix.size() && std::string_view(token).substr(0, affix.size()) == affix;
      const std::string text = marked ? token.substr(affix.size()) : token;
      const std::string piece = marked ? text : " " + text;
      return parts_.clean_up ? cleaned_up(piece) : piece;
    }
    case PieceStyle::word_suffix:
      return replaced(token, parts_.affix, " ");
    case PieceStyle::spaced:
      return " " + token;
    case PieceStyle::plain:
      break;
  }
  return token;
}

std::string TextTokenizer::describe() const {
  return fmt::format("{}, {} tokens", parts_.model->name(), vocab_.size());
}

std::shared_ptr<const Tokenizer> TextTokenizer::with_merger(std::shared_ptr<const BpeMerger> merger) const {
  auto model = parts_.model->with_merger(std::move(merger));
  if (model == nullptr) return nullptr;
  return std::make_shared<TextTokenizer>(vocab_, [&](const Vocab&) {
    TextParts parts = parts_;
    parts.model = std::move(model);
    return parts;
  });
}

std::string_view TextTokenizer::normalized(std::string_view text, std::string& buffer,
                                           bool& removed_front) const {
  if (parts_.normalizer.empty()) return text;
  // Normal forms are defined for valid text only; bytes in between stay as they are.
  buffer.clear();
  NormalizerState state;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t valid = utf8_valid_length(text, at);
    if (valid > 0) buffer += parts_.normalizer.apply(text.substr(at, valid), state);
    at += valid;
    if (at == text.size()) break;
    const std::size_t broken = utf8_next(text, at).length;
    buffer += text.substr(at, broken);
    at += broken;
    state.continued = true;
  }
  removed_front = state.removed_front;
  return buffer;
}

void TextTokenizer::encode_text(std::string_view text, bool first, std::vector<std::int32_t>& ids,
                                EncodeWork& work) const {
  WordScratch scratch;
  Words words;
  // The pre-tokenizer needs valid UTF-8; bytes in between are words of their own.
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t valid = utf8_valid_length(text, at);
    if (valid > 0) {
      words.continued = at > 0;
      parts_.pre_tokenizer.run(text.substr(at, valid), first && at == 0, words);
      encode_words(words, scratch, ids, work);
    }
    at += valid;
    if (at == text.size()) break;
    const std::size_t broken = utf8_next(text, at).length;
    for (std::size_t i = 0; i < broken; ++i) parts_.model->encode(text.substr(at + i, 1), scratch, ids);
    at += broken;
  }
  work.heap_pops += scratch.merge.pops;
}

void TextTokenizer::encode_words(const Words& words, WordScratch& scratch, std::vector<std::int32_t>& ids,
                                 EncodeWork& work) const {
  const WordModel& model = *parts_.model;
  if (model.encodes_all()) {
    work.words += words.spans.size();
    model.encode_all(words.text, words.spans, ids);
    return;
  }
  WordCache cache;
  const auto encode = [&](std::string_view word) {
    ++work.words;
    if (cache.repeat(word, ids)) {
      ++work.cached_words;
      return;
    }
    const std::size_t begin = ids.size();
    model.encode(word, scratch, ids);
    cache.remember(word, begin, ids);
  };
  const bool cut = model.spaces_begin_words();
  for (const Span span : words.spans) {
    if (!cut) {
      encode(words.word(span));
      continue;
    }
    const std::string_view text = words.text.substr(0, span.end);
    for (std::size_t at = span.begin; at < span.end;) {
      const std::size_t end = word_end(text, at);
      encode(text.substr(at, end - at));
      at = end;
    }
  }
}

std::string TextTokenizer::decode(std::span<const std::int32_t> ids) const {
  std::string text;
  const bool words = parts_.pieces == PieceStyle::word_piece || parts_.pieces == PieceStyle::spaced;
  const SpacePrefix prefix = parts_.space_prefix;
  bool at_start = words || prefix != SpacePrefix::none;
  for (const std::int32_t id : ids) {
    check_id(id);
    const std::string& piece = piece_ref(id);
    const TokenType type = vocab_.type(id);
    if (!words && (type == TokenType::control || type == TokenType::user_defined)) {
      text += piece;
      at_start = prefix == SpacePrefix::every_text || prefix == SpacePrefix::every_text_unless_space ||
                 (prefix == SpacePrefix::after_controls && type == TokenType::control) ||
                 (at_start && type == TokenType::control);
      continue;
    }
    if (piece.empty()) continue;
    text.append(piece, at_start && piece.front() == ' ' ? 1 : 0);
    at_start = false;
  }
  if (parts_.pieces == PieceStyle::word_suffix && !text.empty() && text.back() == ' ') text.pop_back();
  return text;
}

}  // namespace rung
