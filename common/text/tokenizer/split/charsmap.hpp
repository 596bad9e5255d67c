#pragma once
// SentencePiece's precompiled_charsmap: a table of character sequences and their replacements, compiled from
// Unicode's normal forms and a few additional rules. Bytes 0 to 3 are the size of a double array
// (darts-clone). It maps sequences to offsets into the strings that follow it, each of which ends in NUL.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rung {

class Charsmap {
 public:
  Charsmap() = default;
  /// Throws Error, which names `source`, if `blob` is not such a table. An empty table replaces nothing.
  Charsmap(const std::string& source, std::string_view blob);
  bool empty() const { return units_.empty(); }

  struct Match {
    std::size_t length = 0;  // number of replaced bytes of the text; 0: none
    std::string_view replacement;
  };
  /// Returns the longest sequence with which `text` begins.
  Match longest(std::string_view text) const { return find(text, true); }
  /// Returns the shortest one.
  Match shortest(std::string_view text) const { return find(text, false); }

 private:
  Match find(std::string_view text, bool longest) const;
  std::vector<std::uint32_t> units_;
  std::string strings_;
};

}  // namespace rung
