#pragma once
// Finds special tokens ("<|endoftext|>") in a text. The leftmost token is found first, and of several tokens
// that begin at the same byte, the longest. It uses a trie over bytes. The time is proportional to the length
// of the text times the length of the longest special token.

#include <array>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace rung {

class SpecialMatcher {
 public:
  SpecialMatcher() : nodes_(1) {}
  /// REQUIRES: `token` is not empty.
  void add(std::string_view token, std::int32_t id);

  struct Match {
    std::size_t begin = 0, end = 0;
    std::int32_t id = -1;  // -1: there is none from `from` on, and begin = end = text.size()
  };
  Match find(std::string_view text, std::size_t from) const;

 private:
  struct Node {
    /// There are few, so they are searched linearly
    std::vector<std::pair<unsigned char, std::uint32_t>> children;
    std::int32_t id = -1;
  };
  std::uint32_t child(std::uint32_t node, char c) const;  // 0: none

  std::vector<Node> nodes_;
  std::array<bool, 256> starts_{};  // bytes with which a token begins
};

}  // namespace rung
