// Parses Oniguruma's patterns: groups, sequences and repetitions. The grammar is that of doc/RE, or of
// regparse.c in Oniguruma 6.9.10 where doc/RE is silent.

#include <algorithm>

#include "core/ascii.hpp"
#include "core/error.hpp"
#include "text/tokenizer/split/regex_parser.hpp"
#include "text/utf8.hpp"

namespace rung::regex {
namespace {

constexpr int kMaxDepth = 100;      // of nested groups; PCRE2 allows 250, and one group here can become two
constexpr int kMaxRepetitions = 8;  // of one item, such as a{2}{3}...
constexpr unsigned kMaxCount = 65535;  // of a repetition, as in PCRE2

/// Positions cannot be repeated.
bool is_position(const Node& node) {
  if (node.kind == Node::Kind::alternatives)
    return std::any_of(node.parts.begin(), node.parts.end(), is_position);
  return node.kind == Node::Kind::look || (node.kind == Node::Kind::text && node.most == 0);
}

bool is_characters(const Node& node) {
  return node.kind == Node::Kind::sequence &&
         std::all_of(node.parts.begin(), node.parts.end(),
                     [](const Node& part) { return part.kind == Node::Kind::character; });
}

Node with_part(Node::Kind kind, Node part) {
  Node node{.kind = kind};
  node.parts.push_back(std::move(part));
  return node;
}

}  // namespace

void Origin::refuse(std::string_view what) const {
  fail("{}: the pattern \"{}\" has {}, which is not supported", source, pattern, what);
}

void Origin::invalid(std::string_view what) const {
  fail("{}: the pattern \"{}\" is not a regular expression: {}", source, pattern, what);
}

Tree read_pattern(const Origin& origin) { return Parser(origin).read(); }

Tree Parser::read() {
  if (utf8_valid_length(text_, 0) != text_.size()) origin_.invalid("it is not valid UTF-8");
  Tree tree;
  tree.root = alternatives();
  if (!done()) origin_.invalid("it has a ) without a (");
  // If the pattern has named groups, the other groups have no numbers.
  if (!names_.empty() && has_numbers_) {
    origin_.invalid("it refers to a group by its number, but some of its groups have names");
  }
  tree.has_backreferences = has_backreferences_;
  return tree;
}

bool Parser::accept(std::string_view expected) {
  if (text_.substr(at_, expected.size()) != expected) return false;
  at_ += expected.size();
  return true;
}

char32_t Parser::take() {
  const std::size_t length = utf8_next(text_, at_).length;
  const char32_t code = utf8_code_point(text_, at_, length);
  at_ += length;
  return code;
}

std::string_view Parser::take_until(char end, std::string_view what) {
  const std::size_t to = text_.find(end, at_);
  if (to == std::string_view::npos) origin_.invalid(fmt::format("{} has no end", what));
  const std::string_view result = text_.substr(at_, to - at_);
  at_ = to + 1;
  return result;
}

/// Skips comments and, under (?x), white space. They do not separate items, so "a (?#b)+" repeats the a.
void Parser::skip_comments() {
  while (!done()) {
    if (accept("(?#")) {
      while (!next_is(')')) {
        if (done()) origin_.invalid("a comment has no end");
        if (accept("\\") && done()) origin_.invalid("a comment has no end");
        take();
      }
      ++at_;
    } else if (options_.extended && next_is('#')) {
      at_ = std::min(text_.find('\n', at_), text_.size() - 1) + 1;
    } else if (options_.extended &&
               std::string_view(" \t\n\r\f").find(text_[at_]) != std::string_view::npos) {
      ++at_;
    } else {
      return;
    }
  }
}

void Parser::descend() {
  if (++depth_ > kMaxDepth) origin_.refuse(fmt::format("groups or sets nested more than {} deep", kMaxDepth));
}

/// Parses up to the end of the group. After it, the options from before the group apply again.
Node Parser::alternatives() {
  const Options before = options_;
  Node node{.kind = Node::Kind::alternatives};
  do {
    node.parts.push_back(sequence());
  } while (accept("|"));
  options_ = before;
  if (node.parts.size() > 1) return node;
  Node only = std::move(node.parts[0]);
  return only;
}

Node Parser::sequence() {
  Node node{.kind = Node::Kind::sequence};
  for (skip_comments(); !done() && !next_is('|') && !next_is(')'); skip_comments()) {
    Node part = repeated();
    // The characters of (?:...) combine with those before and after it, but not if it begins the sequence.
    // (?i)x(?:as)s matches x, a and U+00DF, and (?i)(?:as)s does not match a and U+00DF.
    if (part.kind == Node::Kind::sequence && !node.parts.empty()) {
      for (Node& inner : part.parts) node.parts.push_back(std::move(inner));
    } else {
      node.parts.push_back(std::move(part));
    }
  }
  if (node.parts.empty()) return {};
  if (node.parts.size() > 1) return node;
  Node only = std::move(node.parts[0]);
  return only;
}

Node Parser::repeated() {
  bool is_plain_group = false, once = false;
  Node node = atom(is_plain_group);
  for (int count = 0;; ++count) {
    skip_comments();
    Node repeat{.kind = Node::Kind::repeat};
    bool possessive = false;
    if (!quantifier(repeat, possessive)) return node;
    if (is_position(node)) origin_.invalid("it repeats a position such as ^, \\b or a lookahead");
    if (count == kMaxRepetitions) origin_.refuse(fmt::format("more than {} repetitions of one item", count));
    if (once && is_plain_group && is_characters(node)) {
      // After (?:ab){1}, Oniguruma repeats the b alone.
      origin_.refuse("a repetition of a group behind {1}");
    }
    if (repeat.least == 1 && repeat.most == 1) {
      once = true;
      continue;
    }
    is_plain_group = false;
    repeat.parts.push_back(std::move(node));
    node = possessive ? with_part(Node::Kind::atomic, std::move(repeat)) : std::move(repeat);
  }
}

/// Reads ?, *, + or {n,m}, and a following ? or +. Reads nothing and returns false if there is no quantifier.
bool Parser::quantifier(Node& repeat, bool& possessive) {
  if (next_is('{')) return interval(repeat, possessive);
  repeat.most = kUnlimited;
  if (accept("?")) {
    repeat.most = 1;
  } else if (accept("+")) {
    repeat.least = 1;
  } else if (!accept("*")) {
    return false;
  }
  repeat.lazy = accept("?");
  possessive = !repeat.lazy && accept("+");
  return true;
}

/// Reads {n}, {n,}, {n,m} or {,m}. A following + repeats the interval, as does a ? after {n}. {5,2} is a
/// possessive {2,5}. Any other { is a literal character.
bool Parser::interval(Node& repeat, bool& possessive) {
  const std::size_t begin = at_;
  ++at_;
  const std::string_view what = "the count of a repetition";
  const std::optional<unsigned> least = number(kMaxCount, what);
  std::optional<unsigned> most = least;
  bool range = false;
  if (accept(",")) {
    range = true;
    most = number(kMaxCount, what);
  }
  if ((!least && !most) || !accept("}")) {
    at_ = begin;
    return false;
  }
  repeat.least = least.value_or(0);
  repeat.most = most.value_or(kUnlimited);
  possessive = repeat.least > repeat.most;
  if (possessive) {
    std::swap(repeat.least, repeat.most);
  } else if (range) {
    repeat.lazy = accept("?");
  }
  return true;
}

std::optional<unsigned> Parser::number(unsigned limit, std::string_view what) {
  std::optional<unsigned> value;
  for (; at_ < text_.size() && is_ascii_digit(text_[at_]); ++at_) {
    value = value.value_or(0) * 10 + static_cast<unsigned>(text_[at_] - '0');
    if (*value > limit) origin_.refuse(fmt::format("{} above {}", what, limit));
  }
  return value;
}

Node Parser::character(char32_t code) const {
  return {.kind = Node::Kind::character, .ignore_case = options_.ignore_case, .code = code};
}

Node Parser::atom(bool& is_plain_group) {
  Node unused{.kind = Node::Kind::repeat};
  bool possessive = false;
  if (quantifier(unused, possessive)) origin_.invalid("a repetition has nothing in front of it");
  const char32_t code = take();
  switch (code) {
    case '(':
      return group(is_plain_group);
    case '[':
      return set_node();
    case '\\':
      return escape();
    case '.':
      return {.kind = Node::Kind::text, .least = 1, .most = 1, .text = options_.dot_is_any ? "." : "\\N"};
    case '^':
      return {.kind = Node::Kind::text, .text = "^"};
    case '$':
      return {.kind = Node::Kind::text, .text = "$"};
    default:
      return character(code);
  }
}

}  // namespace rung::regex
