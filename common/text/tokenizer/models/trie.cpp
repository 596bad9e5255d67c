// Building the double array.

#include "text/tokenizer/models/trie.hpp"

#include <algorithm>

namespace rung {

Trie::Trie(std::vector<Key> keys) : nodes_(257) {
  std::sort(keys.begin(), keys.end());
  nodes_[kRoot].parent = kRoot;
  struct Work {
    std::uint32_t node;
    std::size_t begin, end, depth;  // the keys that pass through it
  };
  std::vector<Work> open = {{kRoot, 0, keys.size(), 0}};
  std::vector<unsigned char> bytes;
  std::vector<std::size_t> borders;
  while (!open.empty()) {
    Work work = open.back();
    open.pop_back();
    if (work.begin < work.end && keys[work.begin].first.size() == work.depth) {
      nodes_[work.node].value = keys[work.begin++].second;
    }
    bytes.clear(), borders.clear();
    for (std::size_t i = work.begin; i < work.end; ++i) {
      const auto byte = static_cast<unsigned char>(keys[i].first[work.depth]);
      if (bytes.empty() || bytes.back() != byte) bytes.push_back(byte), borders.push_back(i);
    }
    borders.push_back(work.end);
    if (bytes.empty()) continue;
    const std::uint32_t base = free_base(bytes);
    nodes_[work.node].base = base;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      nodes_[base + bytes[i]].parent = work.node;
      open.push_back({base + bytes[i], borders[i], borders[i + 1], work.depth + 1});
    }
  }
}

/// A base at which the places of all `bytes` (ascending) are free.
std::uint32_t Trie::free_base(const std::vector<unsigned char>& bytes) {
  while (first_free_ < nodes_.size() && nodes_[first_free_].parent != kNone) ++first_free_;
  std::size_t tried = 0;
  for (std::size_t at = std::max<std::size_t>(first_free_, bytes.front() + std::size_t{1});; ++at) {
    const std::size_t base = at - bytes.front();
    if (base + 257 > nodes_.size()) nodes_.resize(2 * nodes_.size() + 256);
    if (nodes_[at].parent != kNone) continue;
    const bool free = std::all_of(bytes.begin(), bytes.end(),
                                  [&](unsigned char byte) { return nodes_[base + byte].parent == kNone; });
    if (free) {
      // A stretch in which much was tried in vain is nearly full: it is not looked through again.
      if (tried > 64) first_free_ = at;
      return static_cast<std::uint32_t>(base);
    }
    ++tried;
  }
}

std::uint32_t Trie::find(std::string_view text) const {
  std::uint32_t node = kRoot;
  for (const char byte : text) {
    node = child(node, byte);
    if (node == kNone) return kNone;
  }
  return node;
}

}  // namespace rung
