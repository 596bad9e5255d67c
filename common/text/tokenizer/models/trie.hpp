#pragma once
// A trie over bytes in a double array (Aoe 1989): following one byte is one addition and one comparison.
//
// Node n's child by byte c is at base[n] + c, if that place says that n is its parent.

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace rung {

class Trie {
 public:
  using Key = std::pair<std::string_view, std::int32_t>;  // text, value >= 0
  Trie() : Trie(std::vector<Key>{}) {}
  /// REQUIRES: no key is empty or occurs twice.
  explicit Trie(std::vector<Key> keys);

  static constexpr std::uint32_t kRoot = 0;
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};
  std::uint32_t child(std::uint32_t node, char byte) const {
    const std::uint32_t at = nodes_[node].base + static_cast<unsigned char>(byte);
    return at < nodes_.size() && nodes_[at].parent == node ? at : kNone;
  }
  /// Returns the node that spells `text`; kNone: no key begins with it.
  std::uint32_t find(std::string_view text) const;
  std::int32_t value(std::uint32_t node) const { return nodes_[node].value; }  // -1: no key ends here

 private:
  struct Node {
    std::uint32_t base = 1;
    std::uint32_t parent = kNone;  // kNone: free
    std::int32_t value = -1;
  };
  std::uint32_t free_base(const std::vector<unsigned char>& bytes);
  std::vector<Node> nodes_;
  std::size_t first_free_ = 1;
};

}  // namespace rung
