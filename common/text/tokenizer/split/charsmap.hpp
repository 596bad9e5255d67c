#pragma once
// SentencePiece's precompiled_charsmap: a table of character sequences and what they are replaced by,
// compiled from Unicode's normal forms and a few rules of its own. Bytes 0 to 3 hold the size of a double
// array (darts-clone), which maps sequences to offsets into the strings behind it, each of which ends in NUL.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rung {

class Charsmap {
 public:
  Charsmap() = default;
  /// Throws Error naming `source` when `blob` is not such a table. An empty one replaces nothing.
  Charsmap(const std::string& source, std::string_view blob);
  bool empty() const { return units_.empty(); }

  struct Match {
    std::size_t length = 0;  // bytes of the text that are replaced; 0: none
    std::string_view replacement;
  };
  /// The longest sequence that `text` begins with.
  Match longest(std::string_view text) const { return find(text, true); }
  /// The shortest one.
  Match shortest(std::string_view text) const { return find(text, false); }

 private:
  Match find(std::string_view text, bool longest) const;
  std::vector<std::uint32_t> units_;
  std::string strings_;
};

}  // namespace rung
