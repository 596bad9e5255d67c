// Byte-pair encoding by scores: SentencePiece's way.
//
// Here characters without a token take part in merging, since two of them may stand in a token. Such symbols
// have numbers that are no ids, and only what is left of them after merging becomes bytes or the unknown
// token.

#include <algorithm>
#include <set>

#include "text/tokenizer/models/bpe.hpp"
#include "text/utf8.hpp"

namespace rung {
namespace {

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

}  // namespace

/// Every way to cut a token in two that are symbols is a merge; its rank is the place of the token's score
/// among all scores, equal for equal ones.
void BpeModel::pairs_from_scores(const Vocab& vocab, const std::vector<float>& scores, Tables& tables) {
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
    if (!vocab.makes_words(id) || vocab.token(id).empty()) continue;
    symbols.emplace(vocab.token(id), id);
    lengths.insert(vocab.token(id).size());
    order.push_back(scores[static_cast<std::size_t>(id)]);
  }
  for (std::int32_t id = 0; id < vocab.size(); ++id) {
    if (vocab.makes_words(id)) utf8_each(vocab.token(id), loose);
  }
  std::sort(order.begin(), order.end(), std::greater<>());
  order.erase(std::unique(order.begin(), order.end()), order.end());
  for (std::int32_t id = 0; id < vocab.size(); ++id) {
    const std::string_view token = vocab.token(id);
    if (!vocab.makes_words(id)) continue;
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

/// The symbols that merging begins with.
void BpeModel::append_loose(std::string_view word, std::vector<std::int32_t>& symbols) const {
  const Tables& t = *tables_;
  for (std::size_t at = 0; at < word.size();) {
    const SpecialMatcher::Match match = t.frozen.find(word, at);
    utf8_each(word.substr(at, match.begin - at), [&](std::string_view character, bool whole) {
      const std::int32_t id = whole ? t.symbol_of(character) : -1;
      symbols.push_back(id >= 0 ? id
                        : whole ? loose_symbol(utf8_code_point(character, 0, character.size()))
                                : loose_byte(character[0]));
    });
    if (match.id >= 0) symbols.push_back(frozen_symbol(match.id));
    at = match.end;
  }
}

/// The ids of what merging left: symbols that are no tokens become bytes or the unknown token.
void BpeModel::append_ids(std::span<const std::int32_t> symbols, std::vector<std::int32_t>& ids) const {
  const Tables& t = *tables_;
  if (t.by_rank) {
    ids.insert(ids.end(), symbols.begin(), symbols.end());
    return;
  }
  bool after_unknown = false;
  for (const std::int32_t symbol : symbols) {
    const bool frozen = symbol <= kFirstFrozen;
    if (frozen || (symbol >= 0 && symbol < t.vocab_size)) {
      ids.push_back(frozen ? kFirstFrozen - symbol : symbol);
      after_unknown = false;
      continue;
    }
    const std::string text =
        symbol >= 0 ? t.loose[static_cast<std::size_t>(symbol - t.vocab_size)] : text_of_loose(symbol);
    const bool bytes = append_bytes(text, ids);
    if (!bytes && !(after_unknown && t.options.fuse_unknown)) ids.push_back(t.unknown);
    after_unknown = !bytes;
  }
}

}  // namespace rung
