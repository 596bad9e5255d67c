// The trie of special tokens.

#include "model/tokenizer_special.hpp"

namespace rung {

void SpecialMatcher::add(std::string_view token, std::int32_t id) {
  starts_[static_cast<unsigned char>(token.front())] = true;
  std::uint32_t node = 0;
  for (const char c : token) {
    const auto fresh = static_cast<std::uint32_t>(nodes_.size());
    const auto [child, inserted] = nodes_[node].children.try_emplace(static_cast<unsigned char>(c), fresh);
    node = child->second;
    if (inserted) nodes_.emplace_back();
  }
  nodes_[node].id = id;
}

SpecialMatcher::Match SpecialMatcher::find(std::string_view text, std::size_t from) const {
  for (std::size_t begin = from; begin < text.size(); ++begin) {
    if (!starts_[static_cast<unsigned char>(text[begin])]) continue;
    Match longest{begin, begin, -1};
    std::uint32_t node = 0;
    for (std::size_t at = begin; at < text.size(); ++at) {
      const auto child = nodes_[node].children.find(static_cast<unsigned char>(text[at]));
      if (child == nodes_[node].children.end()) break;
      node = child->second;
      if (nodes_[node].id >= 0) longest = {begin, at + 1, nodes_[node].id};
    }
    if (longest.id >= 0) return longest;
  }
  return {text.size(), text.size(), -1};
}

}  // namespace rung
