// Parses Oniguruma's sets of characters, and escapes inside and outside of sets.

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "core/ascii.hpp"
#include "core/error.hpp"
#include "text/tokenizer/split/regex_fold.hpp"
#include "text/tokenizer/split/regex_parser.hpp"

namespace rung::regex {

/// Parses a set after its opening bracket. Sets `negated` if the set begins with ^; the result is not
/// complemented.
CharacterSet Parser::set(bool& negated) {
  enum class State { begin, character, set, range, complete } state = State::begin;
  char32_t last = 0;  // in state character: not yet added; in state range: the first
  CharacterSet now;   // the characters since the last &&
  std::optional<CharacterSet> before;
  const auto finish = [&] {
    if (state == State::character) add_range(now, last, last);
  };
  const auto add_character = [&](char32_t code) {
    if (state != State::range) {
      finish();
      last = code;
      state = State::character;
      return;
    }
    if (code < last) origin_.invalid("a range in a set ends before it begins");
    if (last == 0 && code >= 0x80 && sets_ > 1) origin_.refuse("a range from \\x{0} in a set inside a set");
    add_range(now, last, code);
    state = State::complete;
  };
  const auto add_set = [&](const CharacterSet& more) {
    if (state == State::range) origin_.invalid("a range ends with a set of characters");
    finish();
    unite(now, more);
    state = State::set;
  };

  descend();
  negated = accept("^");
  // Oniguruma 6.9.10 loses characters of such sets, as it does for [[^\x{0}-\x{100}]].
  if (negated && negated_sets_ > 0) origin_.refuse("a negated set inside a negated set");
  ++sets_;
  negated_sets_ += negated ? 1 : 0;
  if (next_is(']')) {  // at the beginning of a set, ] is a character
    if (text_.find(']', at_ + 1) == std::string_view::npos) origin_.invalid("it has an empty set []");
    add_character(take());
  }
  while (!accept("]")) {
    if (done()) origin_.invalid("a set has no ]");
    if (accept("&&")) {
      finish();
      before = before ? intersection(*before, now) : now;
      now = {};
      state = State::begin;
    } else if (next_is('[')) {
      if (const std::optional<CharacterSet> named = posix_bracket()) {
        add_set(*named);
        continue;
      }
      if (state == State::range) origin_.refuse("a range that ends with a set of characters");
      finish();
      ++at_;
      bool inner_negated = false;
      const CharacterSet inner = set(inner_negated);
      unite(now, inner_negated ? complement(inner) : inner);
      state = State::complete;
    } else if (accept("-")) {
      const bool at_end = next_is(']') || text_.substr(at_, 2) == "&&";
      if (state == State::character && !at_end) {
        state = State::range;
      } else if (state == State::set && !at_end) {
        origin_.invalid("a range begins with a set of characters");
      } else {
        add_character('-');
      }
    } else if (accept("\\")) {
      if (done()) origin_.invalid("it ends with a backslash");
      const char32_t letter = take();
      if (const std::optional<CharacterSet> named = named_set(letter, true)) {
        add_set(*named);
      } else {
        add_character(letter == 'b' ? 0x08 : escaped_character(letter));
      }
    } else {
      add_character(take());
    }
  }
  finish();
  --depth_;
  --sets_;
  negated_sets_ -= negated ? 1 : 0;
  return before ? intersection(*before, now) : now;
}

Node Parser::set_node() {
  bool negated = false;
  CharacterSet characters = set(negated);
  std::vector<std::string> sequences;
  if (options_.ignore_case) {
    constexpr int kMaxFolded = 200;  // folding one set takes about a millisecond
    if (++folded_sets_ > kMaxFolded)
      origin_.refuse(fmt::format("more than {} sets [...] under (?i)", kMaxFolded));
    sequences = fold_case(characters);
  }
  Node node{.kind = Node::Kind::text, .least = 1, .most = 1};
  if (negated) {
    node.text = one_of(complement(characters));
  } else if (sequences.empty()) {
    node.text = one_of(characters);
  } else {
    node.text = fmt::format("(?:{}|{})", one_of(characters), fmt::join(sequences, "|"));
    node.most = 3;
  }
  return node;
}

/// Parses [:name:] and [:^name:]. If anything other than letters is between the colons, the bracket begins an
/// ordinary set.
std::optional<CharacterSet> Parser::posix_bracket() {
  const std::size_t end = text_.find(":]", at_);
  if (text_.substr(at_, 2) != "[:" || end == std::string_view::npos || end < at_ + 2) return std::nullopt;
  std::string_view name = text_.substr(at_ + 2, end - at_ - 2);
  const bool negated = name.substr(0, 1) == "^";
  if (negated) name.remove_prefix(1);
  const bool letters = std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c & 0x80) != 0;
  });
  if (!letters || end == at_ + 2) return std::nullopt;
  const std::optional<CharacterSet> set = posix_set(name, options_.ascii);
  if (!set) origin_.invalid(fmt::format("[:{}:] is not a set of characters", name));
  at_ = end + 2;
  return negated ? complement(*set) : *set;
}

/// Returns the set of \w, \d, \s, \h, \p{name} and their complements in upper case, or nothing for any other
/// letter.
std::optional<CharacterSet> Parser::named_set(char32_t letter, bool in_set) {
  bool negated = letter >= 'A' && letter <= 'Z';
  std::optional<CharacterSet> set;
  switch (letter) {
    case 'w':
    case 'W':
      set = in_set ? posix_set("word", options_.ascii) : word_set(options_.ascii);
      break;
    case 'd':
    case 'D':
      set = posix_set("digit", options_.ascii);
      break;
    case 's':
    case 'S':
      set = posix_set("space", options_.ascii);
      break;
    case 'h':
    case 'H':
      set = posix_set("xdigit", options_.ascii);
      break;
    case 'p':
    case 'P': {
      if (!accept("{")) return std::nullopt;
      std::string_view name = take_until('}', "a property \\p{");
      if (name.substr(0, 1) == "^") {
        negated = !negated;
        name.remove_prefix(1);
      }
      set = property_set(name, options_.ascii, in_set);
      if (!set) origin_.refuse(fmt::format("the property \\p{{{}}}", name));
      break;
    }
    default:
      return std::nullopt;
  }
  return negated ? complement(*set) : set;
}

Node Parser::escape() {
  if (done()) origin_.invalid("it ends with a backslash");
  const char32_t letter = take();
  const auto position = [](std::string text) {
    return Node{.kind = Node::Kind::text, .text = std::move(text)};
  };
  if (const std::optional<CharacterSet> set = named_set(letter, false)) {
    return {.kind = Node::Kind::text, .least = 1, .most = 1, .text = one_of(*set)};
  }
  switch (letter) {
    case 'Z':
    case 'z':
      if (behind_ + not_behind_ > 0) origin_.invalid("a lookbehind holds the end of the text");
      [[fallthrough]];
    case 'A':
    case 'G':
      return position({'\\', static_cast<char>(letter)});
    case 'b':  // PCRE2's \b has different word characters
      return position(fmt::format("(?:(?<={0})(?!{0})|(?<!{0})(?={0}))", one_of(word_set(options_.ascii))));
    case 'B':
      return position(fmt::format("(?:(?<={0})(?={0})|(?<!{0})(?!{0}))", one_of(word_set(options_.ascii))));
    case 'K':
      if (looks_ > 0) origin_.refuse("\\K inside a lookahead or lookbehind");
      return position("\\K");
    case 'R':
      return {.kind = Node::Kind::text,
              .least = 1,
              .most = 2,
              .text = R"((?>\r\n|[\n-\r\x{85}\x{2028}\x{2029}]))"};
    case 'N':
      return {.kind = Node::Kind::text, .least = 1, .most = 1, .text = "\\N"};
    case 'O':
      return {.kind = Node::Kind::text, .least = 1, .most = 1, .text = "."};
    case 'X':
    case 'y':
    case 'Y':
      origin_.refuse(fmt::format("\\{}, which is about grapheme clusters", static_cast<char>(letter)));
    case 'k':
      if (next_is('<') || next_is('\'')) return reference(Node::Kind::backreference);
      return character('k');
    case 'g':
      if (next_is('<') || next_is('\'')) return reference(Node::Kind::call);
      return character('g');
    default:
      if (letter >= '1' && letter <= '9') return numbered_reference();
      return character(escaped_character(letter));
  }
}

/// Returns the character that an escaped letter represents. A letter without a special meaning represents
/// itself.
char32_t Parser::escaped_character(char32_t letter) {
  switch (letter) {
    case 'a':
      return 0x07;
    case 't':
      return '\t';
    case 'n':
      return '\n';
    case 'v':
      return 0x0B;
    case 'f':
      return '\f';
    case 'r':
      return '\r';
    case 'e':
      return 0x1B;
    case 'x':
      return accept("{") ? digits(16, 1, 8, '}') : byte(digits(16, 1, 2, 0));
    case 'o':
      return accept("{") ? digits(8, 1, 11, '}') : letter;
    case 'u':
      return digits(16, 4, 4, 0);
    case 'c':
      return control();
    case 'C':
      if (!accept("-")) origin_.invalid("\\C has no - behind it");
      return control();
    case 'M':
      origin_.refuse("\\M-, a character with its high bit set");
    default:
      if (letter < '0' || letter > '7') return letter;
      --at_;
      return byte(digits(8, 1, 3, 0));
  }
}

/// Reads a character code of `least` to `most` digits, and then `end` unless it is 0.
char32_t Parser::digits(int base, int least, int most, char end) {
  std::uint64_t value = 0;
  int count = 0;
  for (; count < most && at_ < text_.size(); ++count, ++at_) {
    if (!is_digit_of_base(text_[at_], base)) break;
    value = value * static_cast<unsigned>(base) + static_cast<unsigned>(ascii_digit_value(text_[at_]));
  }
  if (count < least) origin_.refuse("the number of a character with too few digits");
  if (end != 0 && !accept({&end, 1})) origin_.refuse("several characters in one \\x{...} or \\o{...}");
  if (value > 0x10FFFF || (value >= 0xD800 && value < 0xE000)) {
    origin_.refuse(fmt::format("the character number 0x{:X}, which no text has", value));
  }
  return static_cast<char32_t>(value);
}

/// Checks that \x41 or \101, which are bytes of UTF-8, is a whole character.
char32_t Parser::byte(char32_t code) const {
  if (code >= 0x80)
    origin_.refuse(
        fmt::format("the byte 0x{0:X} of a character; write \\x{{{0:X}}} if you mean that character",
                    static_cast<unsigned>(code)));
  return code;
}

/// Reads the letter of \cX.
char32_t Parser::control() {
  if (done()) origin_.invalid("a control character has no letter");
  const char32_t letter = take();
  if (letter >= 0x80 || letter == '\\') origin_.refuse("a control character of another escape or letter");
  return letter == '?' ? 0x7F : letter & 0x9F;
}

}  // namespace rung::regex
