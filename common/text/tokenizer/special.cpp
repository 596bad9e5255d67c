// The trie of special tokens.

#include "text/tokenizer/special.hpp"

namespace rung {

std::uint32_t SpecialMatcher::child(std::uint32_t node, char c) const {
  for (const auto& [byte, next] : nodes_[node].children) {
    if (byte == static_cast<unsigned char>(c)) return next;
  }
  return 0;
}

void SpecialMatcher::add(std::string_view token, std::int32_t id) {
  starts_[static_cast<unsigned char>(token.front())] = true;
  std::uint32_t node = 0;
  for (const char c : token) {
    std::uint32_t next = child(node, c);
    if (next == 0) {
      next = static_cast<std::uint32_t>(nodes_.size());
      nodes_[node].children.emplace_back(static_cast<unsigned char>(c), next);
      nodes_.emplace_back();
    }
    node = next;
  }
  if (nodes_[node].id < 0) nodes_[node].id = id;
}

SpecialMatcher::Match SpecialMatcher::find(std::string_view text, std::size_t from) const {
  if (nodes_.size() == 1) return {text.size(), text.size(), -1};
  for (std::size_t begin = from; begin < text.size(); ++begin) {
    if (!starts_[static_cast<unsigned char>(text[begin])]) continue;
    Match longest{begin, begin, -1};
    std::uint32_t node = 0;
    for (std::size_t at = begin; at < text.size(); ++at) {
      node = child(node, text[at]);
      if (node == 0) break;
      if (nodes_[node].id >= 0) longest = {begin, at + 1, nodes_[node].id};
    }
    if (longest.id >= 0) return longest;
  }
  return {text.size(), text.size(), -1};
}

}  // namespace rung
