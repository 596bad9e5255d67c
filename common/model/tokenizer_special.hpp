#pragma once
// Finds special tokens ("<|endoftext|>") in a text: the leftmost one, and of those that begin at the same
// byte the longest. A trie over bytes; the time is the text's length times the longest special token.

#include <array>
#include <cstdint>
#include <map>
#include <string_view>
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
    std::map<unsigned char, std::uint32_t> children;
    std::int32_t id = -1;
  };
  std::vector<Node> nodes_;
  std::array<bool, 256> starts_{};  // bytes with which some token begins
};

}  // namespace rung
