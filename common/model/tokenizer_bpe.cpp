// Byte-pair encoding.

#include "model/tokenizer_bpe.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include "core/error.hpp"
#include "model/tokenizer_utf8.hpp"

namespace rung {
namespace {

/// Bytes that a vocabulary learned from text may lack: those that begin no character that Unicode has
/// assigned, and rare control characters (Falcon's). They are left out of a text, as the `tokenizers` library
/// does with every character that has neither a token nor an unknown token.
bool may_be_missing(unsigned byte) {
  const bool no_text = byte == 0xC0 || byte == 0xC1 || byte == 0xF1 || byte == 0xF2 || byte >= 0xF5;
  const bool rare_control = (byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r') || byte == 0x7F;
  return no_text || rare_control;
}

bool is_text(TokenType type) {
  return type == TokenType::normal || type == TokenType::user_defined || type == TokenType::unused;
}

/// Symbols that are no tokens: characters and invalid bytes, as negative numbers below -1.
constexpr std::int32_t kFirstLoose = -2;
constexpr std::int32_t kByteBase = 0x110000;
std::int32_t loose_symbol(char32_t code) { return kFirstLoose - static_cast<std::int32_t>(code); }
std::int32_t loose_byte(char byte) { return kFirstLoose - kByteBase - static_cast<unsigned char>(byte); }
/// Tokens that merge with nothing lie below those.
constexpr std::int32_t kFirstFrozen = kFirstLoose - kByteBase - 256;
std::int32_t frozen_symbol(std::int32_t id) { return kFirstFrozen - id; }
std::string text_of_loose(std::int32_t symbol) {
  const std::int32_t code = kFirstLoose - symbol;
  if (code >= kByteBase) return {static_cast<char>(code - kByteBase)};
  return utf8_encoded(static_cast<char32_t>(code));
}

/// Calls visit(character) for every character; an invalid byte is one of its own.
template <class Visit>
void each_symbol(std::string_view text, Visit&& visit) {
  for (std::size_t at = 0; at < text.size();) {
    const Utf8Step step = utf8_next(text, at);
    const bool whole = step.kind == Utf8Step::Kind::character;
    const std::size_t length = whole ? step.length : 1;
    visit(text.substr(at, length), whole);
    at += length;
  }
}

}  // namespace

PairTable make_pair_table(const Vocab& vocab, const Merges& merges, std::size_t skip) {
  std::unordered_map<std::string_view, std::int32_t> ids;
  ids.reserve(vocab.tokens.size());
  for (std::int32_t id = 0; id < vocab.size(); ++id) ids.emplace(vocab.token(id), id);
  PairTable table(merges.size());
  std::string joined;
  for (std::size_t rank = 0; rank < merges.size(); ++rank) {
    const auto& [left, right] = merges[rank];
    joined = left + right.substr(std::min(skip, right.size()));
    const std::string* names[] = {&left, &right, &joined};
    std::int32_t found[3];
    for (int i = 0; i < 3; ++i) {
      const auto it = ids.find(*names[i]);
      if (names[i]->empty() || it == ids.end()) {
        fail("{}: merge {} joins \"{}\" and \"{}\", but \"{}\" is not a token", vocab.source, rank,
             utf8_repaired(left), utf8_repaired(right), utf8_repaired(*names[i]));
      }
      found[i] = it->second;
    }
    // A pair that stands there twice keeps its first, better rank.
    table.insert(found[0], found[1], static_cast<std::int32_t>(rank), found[2]);
  }
  return table;
}

BpeModel::Tables::Tables(const Vocab& vocab, BpeOptions given)
    : vocab_size(vocab.size()), unknown(vocab.unknown), options(std::move(given)) {
  byte_ids.fill(-1);
  ascii_symbols.fill(-1);
  const bool keeps_words =
      options.ignore_merges || !options.continuing_prefix.empty() || !options.word_suffix.empty();
  int bytes = 0;
  for (std::int32_t id = 0; id < vocab.size(); ++id) {
    const std::string& token = vocab.token(id);
    const TokenType type = vocab.type(id);
    if (type == TokenType::byte) {
      const int byte = named_byte(token);
      if (options.byte_level) {
        fail("{}: token {} is of type 6 (byte), which a byte-level vocabulary cannot have", vocab.source, id);
      }
      if (byte < 0) {
        fail("{}: token {} is of type 6 (byte), but its text is \"{}\" and not of the form <0x41>",
             vocab.source, id, utf8_repaired(token));
      }
      byte_ids[static_cast<std::size_t>(byte)] = id;
      ++bytes;
    }
    if (!is_text(type) || token.empty()) continue;
    if (type == TokenType::user_defined && options.freeze_user_defined) frozen.add(token, id);
    if (keeps_words) words.emplace(options.byte_level ? from_visible_bytes(token) : token, id);
    // U+2581 behind anything else?
    std::size_t at = 0;
    while (std::string_view(token).substr(at, kVisibleSpace.size()) == kVisibleSpace)
      at += kVisibleSpace.size();
    if (token.find(kVisibleSpace, at) != std::string::npos) spaces_begin_words = false;
    const Utf8Step step = utf8_next(token, 0);
    if (step.kind != Utf8Step::Kind::character || step.length != token.size()) continue;
    const char32_t code = utf8_code_point(token, 0, step.length);
    symbols.emplace(code, id);
    if (code < 128) ascii_symbols[code] = id;
  }
  // A suffix of words, an unknown U+2581: then a cut would change what stands on its sides.
  spaces_begin_words = spaces_begin_words && !options.byte_level && options.continuing_prefix.empty() &&
                       options.word_suffix.empty() && symbols.count(0x2581) > 0;
  if (options.byte_level) {
    for (unsigned byte = 0; byte < 256; ++byte) {
      const auto found =
          symbols.find(utf8_code_point(visible_bytes()[byte], 0, visible_bytes()[byte].size()));
      byte_ids[byte] = found == symbols.end() ? -1 : found->second;
      if (byte_ids[byte] < 0 && unknown < 0 && !may_be_missing(byte)) {
        fail(
            "{}: the vocabulary has no token for byte 0x{:02X} (\"{}\") and no unknown token to put in its "
            "place",
            vocab.source, byte, visible_bytes()[byte]);
      }
    }
    return;
  }
  if (bytes != 0 && bytes != 256) {
    fail("{}: the vocabulary has tokens for {} of the 256 bytes; it needs all of them or none", vocab.source,
         bytes);
  }
}

BpeModel::BpeModel(const Vocab& vocab, const Merges& merges, BpeOptions options) {
  auto tables = std::make_shared<Tables>(vocab, std::move(options));
  tables->pairs = make_pair_table(vocab, merges, tables->options.continuing_prefix.size());
  tables_ = std::move(tables);
}

BpeModel::BpeModel(const Vocab& vocab, const std::vector<float>& scores, BpeOptions options) {
  auto tables = std::make_shared<Tables>(vocab, std::move(options));
  if (scores.size() != vocab.tokens.size()) {
    fail("{}: the vocabulary has {} tokens but {} scores; both arrays must have one entry per token",
         vocab.source, vocab.tokens.size(), scores.size());
  }
  for (std::size_t id = 0; id < scores.size(); ++id) {
    if (std::isnan(scores[id])) fail("{}: the score of token {} is not a number", vocab.source, id);
  }
  pairs_from_scores(vocab, scores, *tables);
  tables_ = std::move(tables);
}

/// Every way to cut a token in two that are symbols is a merge; its rank is the place of the token's score
/// among all scores, equal for equal ones.
void BpeModel::pairs_from_scores(const Vocab& vocab, const std::vector<float>& scores, Tables& tables) const {
  std::unordered_map<std::string_view, std::int32_t> symbols;
  std::set<std::size_t> lengths = {1, 2, 3, 4};  // of symbols, in bytes
  std::vector<float> order;
  const auto loose = [&](std::string_view character, bool whole) {
    if (!whole || symbols.count(character) > 0) return;
    const auto id = static_cast<std::int32_t>(vocab.size() + static_cast<std::int32_t>(tables.loose.size()));
    tables.loose.emplace_back(character);
    symbols.emplace(character, id);
    tables.symbols.emplace(utf8_code_point(character, 0, character.size()), id);
    if (character.size() == 1) tables.ascii_symbols[static_cast<unsigned char>(character[0])] = id;
  };
  for (std::int32_t id = 0; id < vocab.size(); ++id) {
    if (!is_text(vocab.type(id)) || vocab.token(id).empty()) continue;
    symbols.emplace(vocab.token(id), id);
    lengths.insert(vocab.token(id).size());
    order.push_back(scores[static_cast<std::size_t>(id)]);
  }
  for (std::int32_t id = 0; id < vocab.size(); ++id) {
    if (is_text(vocab.type(id))) each_symbol(vocab.token(id), loose);
  }
  std::sort(order.begin(), order.end(), std::greater<>());
  order.erase(std::unique(order.begin(), order.end()), order.end());
  for (std::int32_t id = 0; id < vocab.size(); ++id) {
    const std::string_view token = vocab.token(id);
    if (!is_text(vocab.type(id))) continue;
    const auto rank = static_cast<std::int32_t>(
        std::lower_bound(order.begin(), order.end(), scores[static_cast<std::size_t>(id)], std::greater<>()) -
        order.begin());
    for (const std::size_t length : lengths) {
      if (length >= token.size()) break;
      if (lengths.count(token.size() - length) == 0) continue;
      const auto left = symbols.find(token.substr(0, length));
      const auto right = symbols.find(token.substr(length));
      if (left == symbols.end() || right == symbols.end()) continue;
      tables.pairs.insert(left->second, right->second, rank, id);
    }
  }
}

std::shared_ptr<const WordModel> BpeModel::with_merger(std::shared_ptr<const BpeMerger> merger) const {
  auto copy = std::make_shared<BpeModel>(*this);
  copy->merger_ = std::move(merger);
  return copy;
}

void BpeModel::append_symbols(std::string_view word, std::vector<std::int32_t>& symbols) const {
  const Tables& t = *tables_;
  for (std::size_t at = 0; at < word.size();) {
    const SpecialMatcher::Match match = t.frozen.find(word, at);
    if (match.begin > at) append_plain(word.substr(at, match.begin - at), symbols);
    if (match.id >= 0) symbols.push_back(frozen_symbol(match.id));
    at = match.end;
  }
}

void BpeModel::append_plain(std::string_view word, std::vector<std::int32_t>& symbols) const {
  const Tables& t = *tables_;
  // What nothing will stand for is left out here, so that its neighbours can merge, as in `tokenizers`.
  if (t.options.byte_level) {
    for (const char c : word) {
      const std::int32_t id = t.byte_ids[static_cast<unsigned char>(c)];
      if (id >= 0 || t.unknown >= 0) symbols.push_back(id >= 0 ? id : loose_byte(c));
    }
    return;
  }
  const bool lost = t.unknown < 0 && t.byte_ids[0] < 0;
  const bool plain = t.options.continuing_prefix.empty() && t.options.word_suffix.empty();
  each_symbol(word, [&](std::string_view character, bool whole) {
    if (!whole) {
      if (!lost) symbols.push_back(loose_byte(character[0]));
      return;
    }
    const char32_t code = utf8_code_point(character, 0, character.size());
    std::int32_t id = -1;
    if (!plain) {
      std::string text(character);
      if (character.data() != word.data()) text = t.options.continuing_prefix + text;
      if (character.data() + character.size() == word.data() + word.size()) text += t.options.word_suffix;
      const auto found = t.words.find(text);
      if (found != t.words.end()) id = found->second;
    } else if (code < 128) {
      id = t.ascii_symbols[code];
    } else {
      const auto found = t.symbols.find(code);
      if (found != t.symbols.end()) id = found->second;
    }
    if (id >= 0 || !lost) symbols.push_back(id >= 0 ? id : loose_symbol(code));
  });
}

void BpeModel::append_unknown(std::string_view character, bool& after_unknown,
                              std::vector<std::int32_t>& ids) const {
  const Tables& t = *tables_;
  if (!t.options.byte_level && t.byte_ids[0] >= 0) {
    for (const char c : character) ids.push_back(t.byte_ids[static_cast<unsigned char>(c)]);
    after_unknown = false;
  } else {
    if (t.unknown >= 0 && !(after_unknown && t.options.fuse_unknown)) ids.push_back(t.unknown);
    after_unknown = true;
  }
}

void BpeModel::append_ids(std::span<const std::int32_t> symbols, std::vector<std::int32_t>& ids) const {
  bool after_unknown = false;
  for (const std::int32_t symbol : symbols) {
    if (symbol >= 0 && symbol < tables_->vocab_size) {
      ids.push_back(symbol);
      after_unknown = false;
    } else if (symbol <= kFirstFrozen) {
      ids.push_back(kFirstFrozen - symbol);
      after_unknown = false;
    } else if (symbol >= 0) {
      append_unknown(tables_->loose[static_cast<std::size_t>(symbol - tables_->vocab_size)], after_unknown,
                     ids);
    } else {
      append_unknown(text_of_loose(symbol), after_unknown, ids);
    }
  }
}

void BpeModel::encode(std::string_view word, WordScratch& scratch, std::vector<std::int32_t>& ids) const {
  if (tables_->options.ignore_merges) {
    const auto found = tables_->words.find(std::string(word));
    if (found != tables_->words.end()) {
      ids.push_back(found->second);
      return;
    }
  }
  scratch.merge.symbols.clear();
  append_symbols(word, scratch.merge.symbols);
  merge_word(tables_->pairs, scratch.merge);
  append_ids(scratch.merge.symbols, ids);
}

void BpeModel::encode_all(std::string_view text, std::span<const Span> words,
                          std::vector<std::int32_t>& ids) const {
  std::vector<std::int32_t> symbols, merged;
  std::vector<std::uint32_t> ends;
  const auto flush = [&] {
    merged.clear();
    merger_->merge(tables_->pairs, symbols, ends, merged);
    append_ids(merged, ids);
    symbols.clear();
    ends.clear();
  };
  for (const Span word : words) {
    const std::string_view piece = text.substr(word.begin, word.end - word.begin);
    if (tables_->options.ignore_merges) {
      const auto found = tables_->words.find(std::string(piece));
      if (found != tables_->words.end()) {  // a symbol that nothing merges with, being a word by itself
        symbols.push_back(found->second);
        ends.push_back(static_cast<std::uint32_t>(symbols.size()));
        continue;
      }
    }
    append_symbols(piece, symbols);
    ends.push_back(static_cast<std::uint32_t>(symbols.size()));
  }
  flush();
}

BpeTokenizer::BpeTokenizer(BpeVocab vocab)
    : TextTokenizer(vocab, [&](const Vocab& checked) {
        TextParts parts;
        BpeOptions options;
        options.byte_level = true;
        options.ignore_merges = vocab.ignore_merges;
        parts.model = std::make_shared<BpeModel>(checked, vocab.merges, options);
        parts.pre_tokenizer = PreTokenizer(vocab.source, vocab.patterns);
        parts.pieces = PieceStyle::visible_bytes;
        return parts;
      }) {}

}  // namespace rung
