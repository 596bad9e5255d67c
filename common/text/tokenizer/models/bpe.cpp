// Byte-pair encoding.

#include "text/tokenizer/models/bpe.hpp"

#include <algorithm>
#include <cmath>

#include "core/error.hpp"
#include "text/tokenizer/decode/pieces.hpp"
#include "text/utf8.hpp"

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

}  // namespace

PairTable make_pair_table(const Vocab& vocab, const Merges& merges, std::size_t skip) {
  std::unordered_map<std::string_view, std::int32_t> ids;
  ids.reserve(vocab.tokens.size());
  for (std::int32_t id = 0; id < vocab.size(); ++id) {
    if (vocab.of_model.empty() || vocab.of_model[static_cast<std::size_t>(id)])
      ids.emplace(vocab.token(id), id);
  }
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
        fail("{}: merge {} joins \"{}\" and \"{}\", but \"{}\" is not a token of the model", vocab.source,
             rank, utf8_repaired(left), utf8_repaired(right), utf8_repaired(*names[i]));
      }
      found[i] = it->second;
    }
    // A pair that stands there twice keeps its first, better rank.
    table.insert(found[0], found[1], static_cast<std::int32_t>(rank), found[2]);
  }
  return table;
}

BpeModel::Tables::Tables(const Vocab& vocab, BpeOptions given)
    : source(vocab.source), vocab_size(vocab.size()), unknown(vocab.unknown), options(std::move(given)) {
  byte_ids.fill(-1);
  named_bytes.fill(-1);
  ascii_symbols.fill(-1);
  special = vocab.special_words();
  const bool keeps_words =
      options.ignore_merges || !options.continuing_prefix.empty() || !options.word_suffix.empty();
  for (std::int32_t id = 0; id < vocab.size(); ++id) {
    const std::string& token = vocab.token(id);
    if (vocab.type(id) == TokenType::byte) {
      const int byte = named_byte(token);
      if (byte < 0) {
        fail("{}: token {} is of type 6 (byte), but its text is \"{}\" and not of the form <0x41>",
             vocab.source, id, utf8_repaired(token));
      }
      if (options.byte_level && !options.byte_fallback) {
        fail("{}: token {} is of type 6 (byte), which a byte-level vocabulary cannot have", vocab.source, id);
      }
      named_bytes[static_cast<std::size_t>(byte)] = id;
    }
    if (!vocab.makes_words(id) || token.empty()) continue;
    if (vocab.type(id) == TokenType::user_defined && options.freeze_user_defined) frozen.add(token, id);
    if (keeps_words) {
      const auto text = options.byte_level ? bytes_of_visible(token) : std::optional(token);
      if (text) words.emplace(*text, id);
    }
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
  // A word that is looked up as a whole, a suffix of words, an unknown U+2581: then a cut would change what
  // stands on its sides.
  spaces_begin_words = spaces_begin_words && !options.byte_level && !keeps_words && symbols.count(0x2581) > 0;
  if (!options.byte_level) return;
  for (unsigned byte = 0; byte < 256; ++byte) {
    const auto found = symbols.find(utf8_code_point(visible_bytes()[byte], 0, visible_bytes()[byte].size()));
    byte_ids[byte] = found == symbols.end() ? -1 : found->second;
    const bool replaced = unknown >= 0 || options.byte_fallback || !options.absent_unknown.empty();
    if (byte_ids[byte] < 0 && !replaced && !may_be_missing(byte)) {
      fail(
          "{}: the vocabulary has no token for byte 0x{:02X} (\"{}\") and no unknown token to put in its "
          "place",
          vocab.source, byte, visible_bytes()[byte]);
    }
  }
}

std::int32_t BpeModel::Tables::symbol_of(std::string_view character) const {
  const char32_t code = utf8_code_point(character, 0, character.size());
  if (code < 128) return ascii_symbols[code];
  const auto found = symbols.find(code);
  return found == symbols.end() ? -1 : found->second;
}

BpeModel::BpeModel(const Vocab& vocab, const Merges& merges, BpeOptions options) {
  auto tables = std::make_shared<Tables>(vocab, std::move(options));
  tables->pairs = make_pair_table(vocab, merges, tables->options.continuing_prefix.size());
  const auto& special = tables->special;
  bool any = false;
  tables->pairs.each([&](std::int32_t, std::int32_t, const PairTable::Entry& pair) {
    any = any || (!special.empty() && special[static_cast<std::size_t>(pair.id)]);
  });
  if (any) {
    tables->text_pairs.emplace(tables->pairs.size());
    tables->pairs.each([&](std::int32_t left, std::int32_t right, const PairTable::Entry& pair) {
      if (!special[static_cast<std::size_t>(pair.id)])
        tables->text_pairs->insert(left, right, pair.rank, pair.id);
    });
  }
  tables_ = std::move(tables);
}

BpeModel::BpeModel(const Vocab& vocab, const std::vector<float>& scores, BpeOptions options) {
  auto tables = std::make_shared<Tables>(vocab, std::move(options));
  tables->by_rank = false;
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

std::shared_ptr<const WordModel> BpeModel::with_merger(std::shared_ptr<const BpeMerger> merger) const {
  auto copy = std::make_shared<BpeModel>(*this);
  copy->merger_ = std::move(merger);
  return copy;
}

const PairTable& BpeModel::pairs(bool specials) const {
  return specials || !tables_->text_pairs ? tables_->pairs : *tables_->text_pairs;
}

/// The token that `word` is by itself, whatever the merges say; -1: none.
std::int32_t BpeModel::whole_word(std::string_view word, bool specials) const {
  const Tables& t = *tables_;
  if (!t.options.ignore_merges) return -1;
  const auto found = t.words.find(std::string(word));
  return found != t.words.end() && t.may_make(found->second, specials) ? found->second : -1;
}

/// The bytes of `text` as tokens; false when it has bytes without one.
bool BpeModel::append_bytes(std::string_view text, std::vector<std::int32_t>& ids) const {
  const Tables& t = *tables_;
  if (!t.options.byte_fallback) return false;
  const auto id_of = [&t](char c) { return t.named_bytes[static_cast<unsigned char>(c)]; };
  if (!t.options.lone_bytes && std::any_of(text.begin(), text.end(), [&](char c) { return id_of(c) < 0; }))
    return false;
  for (const char c : text) {
    if (id_of(c) >= 0) ids.push_back(id_of(c));
  }
  return true;
}

/// What becomes of a character without a token. As in `tokenizers`, an unknown token waits for the next known
/// character, so that a run can be one, and bytes in between come first.
void BpeModel::append_unknown(std::string_view text, bool& waits, std::vector<std::int32_t>& symbols) const {
  const Tables& t = *tables_;
  if (append_bytes(text, symbols)) return;
  if (t.unknown < 0) {  // then it is left out, unless it should have had a token
    if (t.options.absent_unknown.empty()) return;
    fail(
        "{}: the text has \"{}\", for which there is no token, and the unknown token \"{}\" is not in the "
        "model's vocabulary",
        t.source, utf8_repaired(text), t.options.absent_unknown);
  }
  if (waits && !t.options.fuse_unknown) symbols.push_back(t.unknown);
  waits = true;
}

/// The symbols that merging begins with.
void BpeModel::append_symbols(std::string_view word, bool specials,
                              std::vector<std::int32_t>& symbols) const {
  const Tables& t = *tables_;
  bool waits = false;
  const auto append = [&](std::int32_t id, std::string_view text) {
    if (id < 0 || !t.may_make(id, specials)) return append_unknown(text, waits, symbols);
    if (waits) symbols.push_back(t.unknown);
    waits = false;
    symbols.push_back(id);
  };
  const BpeOptions& o = t.options;
  if (o.byte_level) {
    for (const char c : word) {
      const auto byte = static_cast<unsigned char>(c);
      append(t.byte_ids[byte], visible_bytes()[byte]);
    }
  } else if (o.continuing_prefix.empty() && o.word_suffix.empty()) {
    utf8_each(word, [&](std::string_view character, bool whole) {
      append(whole ? t.symbol_of(character) : -1, character);
    });
  } else {
    utf8_each(word, [&](std::string_view character, bool /*whole*/) {
      const bool first = character.data() == word.data();
      const bool last = character.data() + character.size() == word.data() + word.size();
      const std::string text =
          (first ? "" : o.continuing_prefix) + std::string(character) + (last ? o.word_suffix : "");
      const auto found = t.words.find(text);
      append(found == t.words.end() ? -1 : found->second, text);
    });
  }
  if (waits) symbols.push_back(t.unknown);
}

void BpeModel::encode(std::string_view word, WordScratch& scratch, std::vector<std::int32_t>& ids) const {
  const std::int32_t whole = whole_word(word, scratch.specials);
  if (whole >= 0) {
    ids.push_back(whole);
    return;
  }
  auto& symbols = scratch.merge.symbols;
  symbols.clear();
  if (tables_->by_rank) {
    append_symbols(word, scratch.specials, symbols);
  } else {
    append_loose(word, symbols);
  }
  merge_word(pairs(scratch.specials), scratch.merge);
  append_ids(symbols, ids);
}

void BpeModel::encode_all(std::string_view text, std::span<const Span> words, bool specials,
                          std::vector<std::int32_t>& ids) const {
  std::vector<std::int32_t> symbols, merged;
  std::vector<std::uint32_t> ends;
  for (const Span word : words) {
    const std::string_view piece = text.substr(word.begin, word.end - word.begin);
    const std::int32_t whole = whole_word(piece, specials);
    if (whole >= 0) {  // a symbol that nothing merges with, being a word by itself
      symbols.push_back(whole);
    } else if (tables_->by_rank) {
      append_symbols(piece, specials, symbols);
    } else {
      append_loose(piece, symbols);
    }
    ends.push_back(static_cast<std::uint32_t>(symbols.size()));
  }
  merger_->merge(pairs(specials), symbols, ends, merged);
  append_ids(merged, ids);
}

BpeTokenizer::BpeTokenizer(BpeVocab vocab)
    : TextTokenizer(vocab, [&](const Vocab& checked) {
        TextParts parts;
        BpeOptions options;
        options.byte_level = true;
        options.ignore_merges = vocab.ignore_merges;
        parts.model = std::make_shared<BpeModel>(checked, vocab.merges, options);
        parts.pre_tokenizer = PreTokenizer(vocab.source, vocab.patterns);
        parts.decoder = piece_decoder(checked, PieceStyle::visible_bytes);
        return parts;
      }) {}

}  // namespace rung
