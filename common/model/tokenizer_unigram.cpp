// Unigram.

#include "model/tokenizer_unigram.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/error.hpp"
#include "model/tokenizer_bpe.hpp"
#include "model/tokenizer_utf8.hpp"

namespace rung {

UnigramModel::UnigramModel(const Vocab& vocab, const std::vector<double>& scores, UnigramOptions options)
    : options_(options), scores_(scores), unknown_(vocab.unknown) {
  if (scores.size() > vocab.tokens.size()) {
    fail("{}: the vocabulary has {} tokens but {} scores; there is one per token", vocab.source,
         vocab.tokens.size(), scores.size());
  }
  const auto scored = static_cast<std::int32_t>(scores.size());
  double lowest = std::numeric_limits<double>::max(), highest = std::numeric_limits<double>::lowest();
  std::vector<std::int32_t> bytes(256, -1);
  for (std::int32_t id = 0; id < scored; ++id) {
    const double score = scores[static_cast<std::size_t>(id)];
    if (!std::isfinite(score)) fail("{}: the score of token {} is not a finite number", vocab.source, id);
    if (options.all_scores_count || vocab.type(id) == TokenType::normal) {
      lowest = std::min(lowest, score), highest = std::max(highest, score);
    }
    const int byte = vocab.type(id) == TokenType::byte ? named_byte(vocab.token(id)) : -1;
    if (byte >= 0) bytes[static_cast<std::size_t>(byte)] = id;
  }
  if (highest < lowest) lowest = highest = 0;
  constexpr double kPenalty = 10;  // of both libraries
  unknown_score_ = add(lowest, -kPenalty);
  const bool has_bytes = std::find(bytes.begin(), bytes.end(), -1) == bytes.end();
  if (options.byte_fallback && has_bytes) byte_ids_ = bytes;
  if (unknown_ < 0 && byte_ids_.empty()) {
    fail("{}: the vocabulary has neither byte tokens (<0x00> to <0xFF>) nor an unknown token", vocab.source);
  }

  std::vector<Trie::Key> keys;
  for (std::int32_t id = 0; id < scored; ++id) {
    const std::string& token = vocab.token(id);
    const TokenType type = vocab.type(id);
    const bool text = type == TokenType::normal || type == TokenType::user_defined ||
                      (options.all_scores_count && type == TokenType::byte);
    if (!text || token.empty()) continue;
    keys.emplace_back(token, id);
    // A token that a user defined wins against anything that spells the same text.
    if (type == TokenType::user_defined && options.single_precision) {
      const auto length = static_cast<float>(token.size());
      scores_[static_cast<std::size_t>(id)] =
          static_cast<double>(static_cast<float>(length * static_cast<float>(highest) - 0.1));
    }
  }
  trie_ = Trie(std::move(keys));
}

void UnigramModel::append_unknown(std::string_view text, bool& after_unknown,
                                  std::vector<std::int32_t>& ids) const {
  if (!byte_ids_.empty()) {
    for (const char c : text) ids.push_back(byte_ids_[static_cast<unsigned char>(c)]);
    after_unknown = false;
    return;
  }
  if (!after_unknown || !options_.fuse_unknown) ids.push_back(unknown_);
  after_unknown = true;
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
      if (id < 0) continue;
      offer(end, add(scores_[static_cast<std::size_t>(id)], here), id, end - at);
      has_character = has_character || end - at == character;
    }
    if (!has_character) offer(at + character, add(unknown_score_, here), -1, character);
    at += character;
  }
  // Backwards along the best way, then turned round.
  auto& ends = scratch.merge.symbols;
  ends.clear();
  for (std::size_t end = word.size(); end > 0; end -= static_cast<std::size_t>(path[end].length)) {
    ends.push_back(static_cast<std::int32_t>(end));
  }
  bool after_unknown = false;
  for (auto end = ends.rbegin(); end != ends.rend(); ++end) {
    const PathStep& step = path[static_cast<std::size_t>(*end)];
    if (step.id >= 0 && step.id != unknown_) {
      ids.push_back(step.id);
      after_unknown = false;
    } else {
      append_unknown(
          word.substr(static_cast<std::size_t>(*end - step.length), static_cast<std::size_t>(step.length)),
          after_unknown, ids);
    }
  }
}

}  // namespace rung
