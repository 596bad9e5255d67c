// Parses the groups of Oniguruma's patterns, with their names and options.

#include <algorithm>

#include "core/ascii.hpp"
#include "core/error.hpp"
#include "text/tokenizer/split/regex_parser.hpp"

namespace rung::regex {

/// Parses a group after its opening parenthesis.
Node Parser::group(bool& is_plain_group) {
  descend();
  Node node;
  const std::size_t begin = at_;
  if (next_is('*')) origin_.refuse("a callout (*...)");
  if (!next_is('?')) {
    node = {.kind = Node::Kind::capture, .number = ++captures_};
  } else if (accept("?:")) {
    is_plain_group = true;
    node = {.kind = Node::Kind::sequence};
  } else if (accept("?=") || accept("?!") || accept("?<=") || accept("?<!")) {
    node = {.kind = Node::Kind::look, .text = std::string(text_.substr(begin, at_ - begin))};
  } else if (accept("?>")) {
    node = {.kind = Node::Kind::atomic};
  } else if (accept("?<")) {
    node = named_capture('>');
  } else if (accept("?'")) {
    node = named_capture('\'');
  } else if (accept("?~")) {
    origin_.refuse("an absent group (?~...)");
  } else if (accept("?{")) {
    origin_.refuse("a callout (?{...})");
  } else if (accept("?(")) {
    origin_.refuse("a condition (?(...)...)");
  } else {
    ++at_;
    node = options();
    --depth_;
    return node;
  }
  node = body_of_group(std::move(node));
  --depth_;
  return node;
}

Node Parser::body_of_group(Node node) {
  const bool capture = node.kind == Node::Kind::capture, look = node.kind == Node::Kind::look;
  const bool behind = look && node.text == "?<=", not_behind = look && node.text == "?<!";
  if (behind_ + not_behind_ > 0) {  // Oniguruma does not compile these
    if (look && !behind && !not_behind) origin_.invalid("a lookbehind holds a lookahead");
    if (look) origin_.refuse("a lookbehind inside a lookbehind");
    if (capture && not_behind_ > 0)
      origin_.invalid("a lookbehind (?<!...) holds a group with a number or name");
  }
  if (capture) open_.push_back(node.number);
  looks_ += look ? 1 : 0;
  behind_ += behind ? 1 : 0;
  not_behind_ += not_behind ? 1 : 0;
  Node body = alternatives();
  if (!accept(")")) origin_.invalid("a group has no )");
  if (capture) open_.pop_back();
  looks_ -= look ? 1 : 0;
  behind_ -= behind ? 1 : 0;
  not_behind_ -= not_behind ? 1 : 0;
  if (node.kind == Node::Kind::sequence) return body;
  node.parts.push_back(std::move(body));
  return node;
}

Node Parser::named_capture(char end) {
  const std::string name(take_until(end, "the name of a group"));
  const bool plain = !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return is_ascii_letter(c) || is_ascii_digit(c) || c == '_';
  });
  if (!plain || is_ascii_digit(name[0])) {
    origin_.refuse(fmt::format(
        "a group named \"{}\" (names have letters, digits and _, and begin with no digit)", name));
  }
  names_.push_back({name, ++captures_});
  return {.kind = Node::Kind::capture, .number = captures_, .text = name};
}

/// Parses (?i-m:...) or (?i) after the question mark. (?i) extends to the end of the enclosing group and
/// contains its remaining alternatives: a(?i)b|c is a(?i:b|c).
Node Parser::options() {
  const Options before = options_;
  Options now = options_;
  bool on = true;
  const std::size_t begin = at_;
  while (true) {
    if (done()) origin_.invalid("a group has no )");
    const char32_t letter = take();
    const bool first = at_ == begin + 1;
    if (letter == ')' && !first) {
      options_ = now;
      Node node = {.kind = Node::Kind::group};
      node.parts.push_back(alternatives());
      options_ = before;
      return node;
    }
    if (letter == ':' && !first) {
      options_ = now;
      Node node = body_of_group({.kind = Node::Kind::group});
      options_ = before;
      return node;
    }
    switch (letter) {
      case '-':
        on = false;
        break;
      case 'i':
        now.ignore_case = on;
        break;
      case 'm':
        now.dot_is_any = on;
        break;
      case 'x':
        now.extended = on;
        break;
      case 'W':
        now.ascii.word = on;
        break;
      case 'D':
        now.ascii.digit = on;
        break;
      case 'S':
        now.ascii.space = on;
        break;
      case 'P':
        now.ascii.posix = on;
        break;
      case 'y':
        origin_.refuse("the option (?y{...})");
      case 'C':
      case 'I':
      case 'L':
        origin_.refuse(fmt::format("the option (?{})", static_cast<char>(letter)));
      default:
        origin_.invalid(fmt::format("a group begins with (?{}", text_.substr(begin, at_ - begin)));
    }
  }
}

}  // namespace rung::regex
