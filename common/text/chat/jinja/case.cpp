// Case mappings and character classes of whole strings, by the rules of CPython's Objects/unicodeobject.c.

#include "text/chat/jinja/case.hpp"

#include "text/chat/jinja/text.hpp"
#include "text/chat/jinja/unicode.hpp"

namespace rung::jinja {
namespace {

constexpr std::uint32_t kCapitalSigma = 0x3A3;

/// Maps the code points of a string to lower case, one after the other. It keeps the state that the rule for
/// the final sigma needs: whether the last code point that is not case-ignorable is cased.
class Lowering {
 public:
  /// Must be called for every code point of the string, in order.
  void see(std::uint32_t code) {
    if (!is_case_ignorable(code)) behind_cased_ = is_cased(code);
  }
  /// Appends the lower case of `code`; `at` is the offset of the next code point. Must be called before
  /// see(code).
  void append(std::string& out, std::uint32_t code, std::string_view text, std::size_t at) const {
    if (code == kCapitalSigma) {
      append_utf8(out, behind_cased_ && !before_cased(text, at) ? 0x3C2 : 0x3C3);
    } else {
      append_lower(out, code);
    }
  }

 private:
  static bool before_cased(std::string_view text, std::size_t at) {
    while (at < text.size()) {
      const std::uint32_t code = next_code(text, at);
      if (!is_case_ignorable(code)) return is_cased(code);
    }
    return false;
  }
  bool behind_cased_ = false;
};

/// Calls map(out, code, lower) for every code point. lower() appends the lower case of that code point.
template <class Map>
std::string mapped(std::string_view text, Map map) {
  std::string out;
  out.reserve(text.size());
  Lowering lowering;
  for (std::size_t i = 0; i < text.size();) {
    const std::uint32_t code = next_code(text, i);
    map(out, code, [&] { lowering.append(out, code, text, i); });
    lowering.see(code);
  }
  return out;
}

bool is_identifier(std::string_view text) {
  std::size_t i = 0;
  if (text.empty() || !starts_identifier(next_code(text, i))) return false;
  while (i < text.size()) {
    if (!continues_identifier(next_code(text, i))) return false;
  }
  return true;
}

/// str.istitle(): words begin with an upper-case letter and continue in lower case, and there is at least one
/// word.
bool is_titled(std::string_view text) {
  bool any = false, inside = false;
  for (std::size_t i = 0; i < text.size();) {
    const std::uint32_t c = next_code(text, i);
    const bool capital = is_upper(c) || is_title(c), small = !capital && is_lower(c);
    if ((capital && inside) || (small && !inside)) return false;
    inside = capital || small;
    any = any || inside;
  }
  return any;
}

/// Whether every code point passes the test. An empty string passes only if `if_empty` is true.
bool all_of(std::string_view text, bool (*passes)(std::uint32_t), bool if_empty = false) {
  for (std::size_t i = 0; i < text.size();) {
    if (!passes(next_code(text, i))) return false;
  }
  return if_empty || !text.empty();
}

/// str.islower() and str.isupper(): at least one letter has the wanted case, and none has another case.
bool one_case(std::string_view text, bool (*wanted)(std::uint32_t), bool (*other)(std::uint32_t)) {
  bool any = false;
  for (std::size_t i = 0; i < text.size();) {
    const std::uint32_t c = next_code(text, i);
    if (other(c) || is_title(c)) return false;
    any = any || wanted(c);
  }
  return any;
}

}  // namespace

std::string upper_case(std::string_view text) {
  return mapped(text, [](std::string& out, std::uint32_t code, const auto&) { append_upper(out, code); });
}

std::string lower_case(std::string_view text) {
  return mapped(text, [](std::string&, std::uint32_t, const auto& lower) { lower(); });
}

std::string fold_case(std::string_view text) {
  return mapped(text, [](std::string& out, std::uint32_t code, const auto&) { append_folded(out, code); });
}

std::string title_case(std::string_view text) {
  bool inside = false;
  return mapped(text, [&](std::string& out, std::uint32_t code, const auto& lower) {
    if (inside) {
      lower();
    } else {
      append_title(out, code);
    }
    inside = is_cased(code);
  });
}

std::string capitalize(std::string_view text) {
  bool first = true;
  return mapped(text, [&](std::string& out, std::uint32_t code, const auto& lower) {
    if (first) {
      append_title(out, code);
    } else {
      lower();
    }
    first = false;
  });
}

std::string swap_case(std::string_view text) {
  return mapped(text, [](std::string& out, std::uint32_t code, const auto& lower) {
    if (is_upper(code)) {
      lower();
    } else if (is_lower(code)) {
      append_upper(out, code);
    } else {
      append_utf8(out, code);
    }
  });
}

bool all_of_class(std::string_view text, CodeClass wanted) {
  switch (wanted) {
    case CodeClass::alnum:
      return all_of(text, [](std::uint32_t c) { return is_letter(c) || is_numeric(c); });
    case CodeClass::alpha:
      return all_of(text, is_letter);
    case CodeClass::ascii:
      return all_of(
          text, [](std::uint32_t c) { return c < 0x80; }, true);
    case CodeClass::decimal:
      return all_of(text, is_decimal);
    case CodeClass::digit:
      return all_of(text, is_digit);
    case CodeClass::identifier:
      return is_identifier(text);
    case CodeClass::lower:
      return one_case(text, is_lower, is_upper);
    case CodeClass::numeric:
      return all_of(text, is_numeric);
    case CodeClass::printable:
      return all_of(text, is_printable, true);
    case CodeClass::space:
      return all_of(text, is_space);
    case CodeClass::title:
      return is_titled(text);
    case CodeClass::upper:
      return one_case(text, is_upper, is_lower);
  }
  return false;
}

}  // namespace rung::jinja
