#pragma once
// Finds special tokens ("<|endoftext|>") in a text: the leftmost one, and of those that begin at the same
// byte the longest. A trie over bytes; the time is the text's length times the longest special token.

#include <array>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace rung {

class SpecialMatcher {
 public:
  SpecialMatcher() : nodes_(1) {}
  /// REQUIRES: token is not empty.
  void add(std::string_view token, std::int32_t id);

  struct Match {
    std::size_t begin = 0, end = 0;
    std::int32_t id = -1;  // -1: none from `from` on, and begin = end = text.size()
  };
  Match find(std::string_view text, std::size_t from) const;

 private:
  struct Node {
    std::vector<std::pair<unsigned char, std::uint32_t>> children;  // few; looked through in order
    std::int32_t id = -1;
  };
  std::uint32_t child(std::uint32_t node, char c) const;  // 0: none

  std::vector<Node> nodes_;
  std::array<bool, 256> starts_{};  // bytes with which some token begins
};

}  // namespace rung
