// Case folding with utf8proc's tables (Unicode 15 in Debian 12). `tokenizers` 0.23 has Unicode 16, which
// added capitals for the two letters U+019B and U+0264, and added new pairs of letters.

#define PCRE2_CODE_UNIT_WIDTH 8
#include "text/tokenizer/split/regex_fold.hpp"

#include <fmt/format.h>
#include <pcre2.h>
#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <set>

#include "text/utf8.hpp"

namespace rung::regex {
namespace {

/// Returns Unicode's full case folding of one character, which has one to three characters.
std::u32string folded(char32_t code) {
  std::array<utf8proc_int32_t, 8> parts{};
  const utf8proc_ssize_t count =
      utf8proc_decompose_char(static_cast<utf8proc_int32_t>(code), parts.data(),
                              static_cast<utf8proc_ssize_t>(parts.size()), UTF8PROC_CASEFOLD, nullptr);
  if (count < 1 || count > 3) return {code};
  return {parts.begin(), parts.begin() + count};
}

/// Maps each case folding to the characters that have it.
const std::map<std::u32string, std::u32string>& unfolded() {
  static const auto table = [] {
    std::map<std::u32string, std::u32string> result;
    constexpr char32_t kLastWithCase = 0x1FFFF;  // the last one in use is U+1E943
    for (char32_t code = 0; code <= kLastWithCase; ++code) {
      if (utf8proc_get_property(static_cast<utf8proc_int32_t>(code))->casefold_seqindex == UINT16_MAX)
        continue;
      const std::u32string fold = folded(code);
      if (fold != std::u32string{code}) result[fold] += code;
    }
    return result;
  }();
  return table;
}

std::u32string unfolded(const std::u32string& fold) {
  const auto found = unfolded().find(fold);
  return found == unfolded().end() ? std::u32string() : found->second;
}

std::string one_of_these(std::u32string codes) {
  std::sort(codes.begin(), codes.end());
  codes.erase(std::unique(codes.begin(), codes.end()), codes.end());
  if (codes.size() == 1) return literal(codes[0]);
  CharacterSet set;
  for (const char32_t code : codes) add_range(set, code, code);
  return one_of(set);
}

/// Returns a pattern for each character of a folding in any case, one after the other.
std::string each_in_any_case(const std::u32string& fold) {
  std::string result;
  for (const char32_t code : fold) result += one_of_these(code + unfolded({code}));
  return result;
}

/// Matches a sequence of two or three characters, or a single character that folds to it.
std::string sequence_or_one(const std::u32string& fold, const std::u32string& ones) {
  return fmt::format("(?:{}|{})", one_of_these(ones), each_in_any_case(fold));
}

/// Tests whether a pattern matches a single character.
class Membership {
 public:
  explicit Membership(const std::string& pattern)
      : code_(compile(pattern)), data_(pcre2_match_data_create(1, nullptr)) {}
  bool holds(char32_t code) const {
    const std::string text = utf8_encoded(code);
    return code_ != nullptr && pcre2_match(code_.get(), reinterpret_cast<PCRE2_SPTR>(text.data()),
                                           text.size(), 0, PCRE2_ANCHORED, data_.get(), nullptr) >= 0;
  }

 private:
  struct Free {
    void operator()(pcre2_code* code) const { pcre2_code_free(code); }
    void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
  };
  static pcre2_code* compile(const std::string& pattern) {
    int error = 0;
    PCRE2_SIZE offset = 0;
    return pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(),
                         PCRE2_UTF | PCRE2_UCP | PCRE2_DOTALL, &error, &offset, nullptr);
  }
  std::unique_ptr<pcre2_code, Free> code_;
  std::unique_ptr<pcre2_match_data, Free> data_;
};

}  // namespace

std::string any_case(std::u32string_view characters, bool one_each) {
  std::string result;
  for (std::size_t at = 0; at < characters.size();) {
    // First try the longest sequence to which a single character folds.
    std::size_t length = one_each ? 1 : std::min<std::size_t>(3, characters.size() - at);
    std::u32string fold, ones;
    for (; length > 1; --length) {
      fold.clear();
      for (const char32_t code : characters.substr(at, length)) {
        const std::u32string one = folded(code);
        fold += one.size() == 1 ? one[0] : code;
      }
      ones = unfolded(fold);
      if (!ones.empty()) break;
    }
    if (length > 1) {
      result += sequence_or_one(fold, ones);
    } else {
      const char32_t code = characters[at];
      fold = folded(code);
      ones = code + unfolded(fold);
      if (fold.size() == 1) ones += fold;
      result += fold.size() == 1 || one_each ? one_of_these(ones) : sequence_or_one(fold, ones);
    }
    at += length;
  }
  return result;
}

std::vector<std::string> fold_case(CharacterSet& set) {
  const Membership membership(one_of(set));
  std::set<char32_t> more;
  std::vector<std::string> pairs, triples;
  for (const auto& [fold, ones] : unfolded()) {
    std::u32string same = ones;
    if (fold.size() == 1) same += fold;
    std::u32string missing;
    for (const char32_t code : same) {
      if (!membership.holds(code)) missing += code;
    }
    if (missing.size() == same.size()) continue;
    more.insert(missing.begin(), missing.end());
    if (fold.size() > 1) (fold.size() == 2 ? pairs : triples).push_back(each_in_any_case(fold));
  }
  for (auto first = more.begin(); first != more.end();) {
    auto last = first, next = std::next(first);
    while (next != more.end() && *next == *last + 1) last = next++;
    add_range(set, *first, *last);
    first = next;
  }
  pairs.insert(pairs.end(), triples.begin(), triples.end());
  return pairs;
}

}  // namespace rung::regex
