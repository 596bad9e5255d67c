// Parses references to groups: \1, \k<name>, \g<name>.

#include <algorithm>
#include <charconv>

#include "core/ascii.hpp"
#include "core/error.hpp"
#include "text/tokenizer/split/regex_parser.hpp"

namespace rung::regex {

/// \10 refers to a group if at least ten groups begin before it. Otherwise it is an octal character code.
Node Parser::numbered_reference() {
  const std::size_t begin = --at_;
  constexpr unsigned kMaxReference = 1000;
  const unsigned value = *number(kMaxReference, "a reference to a group");
  if (value <= 9 || value <= static_cast<unsigned>(captures_)) {
    has_numbers_ = true;
    return backreference(static_cast<int>(value));
  }
  at_ = begin;
  return character(escaped_character(take()));
}

/// Parses \k<...> and \g<...>, also with quotes. They contain a name, a number, or a relative number: -1 is
/// the previous group, and +1 is the next.
Node Parser::reference(Node::Kind kind) {
  const char end = take() == '<' ? '>' : '\'';
  const std::string name(take_until(end, "a reference to a group"));
  if (name.empty()) origin_.invalid("a reference has no name");
  if (name.find_first_of("+-", 1) != std::string::npos)
    origin_.refuse("a reference with a level, \\k<name+0>");
  const bool relative = name[0] == '-' || name[0] == '+';
  if (!relative && !is_ascii_digit(name[0])) {
    if (kind == Node::Kind::call) return {.kind = kind, .text = name};
    const auto is_name = [&](const Name& known) { return known.name == name; };
    const auto found = std::find_if(names_.begin(), names_.end(), is_name);
    if (found == names_.end())
      origin_.invalid(fmt::format("no group in front of a reference has the name {}", name));
    if (std::count_if(names_.begin(), names_.end(), is_name) > 1) {
      origin_.refuse("a reference to one of several groups with the same name");
    }
    return backreference(found->number);
  }
  has_numbers_ = true;
  int value = 0;
  const char* const last = name.data() + name.size();
  const auto parsed = std::from_chars(name.data() + (relative ? 1 : 0), last, value);
  if (parsed.ec != std::errc() || parsed.ptr != last)
    origin_.invalid(fmt::format("\"{}\" is not the number of a group", name));
  if (name[0] == '-') value = captures_ + 1 - value;
  if (name[0] == '+') value = captures_ + value;
  if (kind == Node::Kind::backreference) return backreference(value);
  if (value == 0) origin_.refuse("a call of the whole pattern");
  return {.kind = kind, .number = value};
}

Node Parser::backreference(int number) {
  if (options_.ignore_case) origin_.refuse("a backreference under (?i)");
  if (std::find(open_.begin(), open_.end(), number) != open_.end()) {
    origin_.refuse("a backreference inside the group that it refers to");
  }
  has_backreferences_ = true;
  return {.kind = Node::Kind::backreference, .number = number};
}

}  // namespace rung::regex
