// Unigram.

#include "text/tokenizer/models/unigram.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/error.hpp"
#include "text/tokenizer/models/bpe.hpp"
#include "text/utf8.hpp"

namespace rung {

UnigramModel::UnigramModel(const Vocab& vocab, const std::vector<double>& scores, UnigramOptions options)
    : source_(vocab.source), options_(options), scores_(scores), unknown_(vocab.unknown) {
  if (scores.size() > vocab.tokens.size()) {
    fail("{}: the vocabulary has {} tokens but {} scores; there is one per token", vocab.source,
         vocab.tokens.size(), scores.size());
  }
  const auto scored = static_cast<std::int32_t>(scores.size());
  double lowest = std::numeric_limits<double>::max(), highest = std::numeric_limits<double>::lowest();
  bytes_.fill(-1);
  for (std::int32_t id = 0; id < scored; ++id) {
    const double score = scores[static_cast<std::size_t>(id)];
    if (!std::isfinite(score)) fail("{}: the score of token {} is not a finite number", vocab.source, id);
    if (!options.sentencepiece || vocab.type(id) == TokenType::normal) {
      lowest = std::min(lowest, score), highest = std::max(highest, score);
    }
    const int byte = vocab.type(id) == TokenType::byte ? named_byte(vocab.token(id)) : -1;
    if (byte >= 0) bytes_[static_cast<std::size_t>(byte)] = id;
  }
  const bool replaced =
      unknown_ >= 0 || (options.byte_fallback && std::count(bytes_.begin(), bytes_.end(), -1) == 0);
  if (options.sentencepiece && !replaced) {
    fail("{}: the vocabulary has neither byte tokens (<0x00> to <0xFF>) nor an unknown token", vocab.source);
  }
  if (highest < lowest) lowest = highest = 0;
  constexpr double kPenalty = 10;  // of both libraries
  unknown_score_ = add(lowest, -kPenalty);
  special_ = vocab.special_words();

  std::vector<Trie::Key> keys;
  for (std::int32_t id = 0; id < scored; ++id) {
    const std::string& token = vocab.token(id);
    const TokenType type = vocab.type(id);
    const bool text = type != TokenType::unused && vocab.makes_words(id);
    if (!text || token.empty()) continue;
    keys.emplace_back(token, id);
    // A token that a user defined wins against anything that spells the same text.
    if (type == TokenType::user_defined && options.sentencepiece) {
      const auto length = static_cast<float>(token.size());
      scores_[static_cast<std::size_t>(id)] =
          static_cast<double>(static_cast<float>(length * static_cast<float>(highest) - 0.1));
    }
  }
  trie_ = Trie(std::move(keys));
}

/// A run of characters that no token of the best way spells. Together they may be a token all the same, one
/// of a low score, which `tokenizers` then takes.
void UnigramModel::append_unknown(std::string_view text, bool specials,
                                  std::vector<std::int32_t>& ids) const {
  const std::uint32_t node = options_.sentencepiece ? Trie::kNone : trie_.find(text);
  const std::int32_t whole = node == Trie::kNone ? -1 : trie_.value(node);
  if (whole >= 0 && may_make(whole, specials)) {
    ids.push_back(whole);
    return;
  }
  const auto id_of = [&](char c) { return bytes_[static_cast<unsigned char>(c)]; };
  if (options_.byte_fallback &&
      std::all_of(text.begin(), text.end(), [&](char c) { return id_of(c) >= 0; })) {
    for (const char c : text) ids.push_back(id_of(c));
    return;
  }
  if (unknown_ < 0) {
    fail("{}: the text has \"{}\", for which there is no token, and the model names no unknown token",
         source_, utf8_repaired(text));
  }
  ids.push_back(unknown_);
}

void UnigramModel::encode(std::string_view word, WordScratch& scratch, std::vector<std::int32_t>& ids) const {
  auto& path = scratch.path;
  path.assign(word.size() + 1, PathStep{});
  const auto offer = [&](std::size_t end, double score, std::int32_t id, std::size_t length) {
    PathStep& step = path[end];
    if (step.length < 0 || score > step.score) step = {score, id, static_cast<std::int32_t>(length)};
  };
  for (std::size_t at = 0; at < word.size();) {
    const double here = path[at].score;
    const Utf8Step step = utf8_next(word, at);
    const std::size_t character = step.kind == Utf8Step::Kind::character ? step.length : 1;
    bool has_character = false;
    std::uint32_t node = Trie::kRoot;
    for (std::size_t end = at; end < word.size();) {
      node = trie_.child(node, word[end++]);
      if (node == Trie::kNone) break;
      const std::int32_t id = trie_.value(node);
      if (id < 0 || !may_make(id, scratch.specials)) continue;
      offer(end, add(scores_[static_cast<std::size_t>(id)], here), id, end - at);
      has_character = has_character || end - at == character;
    }
    if (!has_character) offer(at + character, add(unknown_score_, here), -1, character);
    at += character;
  }
  // Follows the best path backward, and then reverses the tokens.
  auto& ends = scratch.merge.symbols;
  ends.clear();
  for (std::size_t end = word.size(); end > 0; end -= static_cast<std::size_t>(path[end].length)) {
    ends.push_back(static_cast<std::int32_t>(end));
  }
  std::size_t known_end = 0, begin = 0;  // behind the last known token; where the next one begins
  for (auto end = ends.rbegin(); end != ends.rend(); ++end) {
    const PathStep& step = path[static_cast<std::size_t>(*end)];
    if (step.id >= 0 && step.id != unknown_) {
      if (begin > known_end) append_unknown(word.substr(known_end, begin - known_end), scratch.specials, ids);
      ids.push_back(step.id);
      known_end = static_cast<std::size_t>(*end);
    }
    begin = static_cast<std::size_t>(*end);
  }
  if (begin > known_end) append_unknown(word.substr(known_end), scratch.specials, ids);
}

}  // namespace rung
