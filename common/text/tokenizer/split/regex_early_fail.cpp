// Decides for which patterns PCRE2's optimizations of the search for the beginning of a match are correct.
//
// The JIT compiler of PCRE2 10.42 remembers where a repetition failed, and does not retry it there when the
// match begins at the next character ("early fail"). Without this, \p{L}+\d takes quadratic time in the
// length of a run of letters. However, it does not forget that position when it tries the repetition from an
// earlier place or with an earlier end. It then misses matches: (?:,|)[^x]*^ has one in ",a", and (?>a+?)b
// has one in "aab". The optimizations therefore stay on only for patterns in which each item before a
// repetition has a fixed length.

#include <algorithm>

#include "text/tokenizer/split/regex_tree.hpp"

namespace rung::regex {
namespace {

/// Whether the node contains no lazy or atomic item and no choice between texts of different lengths.
bool is_straight(const Node& node) {
  switch (node.kind) {
    case Node::Kind::alternatives:
    case Node::Kind::atomic:
    case Node::Kind::backreference:
    case Node::Kind::call:
      return false;
    case Node::Kind::character:
      return !node.ignore_case;  // U+00DF can match two characters
    case Node::Kind::text:
      return node.least == node.most;
    case Node::Kind::look:
      return true;  // the optimization does not look inside
    default:
      return !node.lazy && std::all_of(node.parts.begin(), node.parts.end(), is_straight);
  }
}

/// Whether the node is x?+, x*+ or x++, which match as much as possible.
bool is_possessive(const Node& node) {
  return node.kind == Node::Kind::atomic && node.parts[0].kind == Node::Kind::repeat && !node.parts[0].lazy &&
         is_straight(node.parts[0]);
}

/// The same for a node that nothing follows, where choices do no harm.
bool is_straight_at_end(const Node& node) {
  switch (node.kind) {
    case Node::Kind::alternatives:
      return std::all_of(node.parts.begin(), node.parts.end(), is_straight_at_end);
    case Node::Kind::sequence:
      return std::all_of(node.parts.begin(), node.parts.end() - 1,
                         [](const Node& part) { return is_straight(part) || is_possessive(part); }) &&
             is_straight_at_end(node.parts.back());
    case Node::Kind::group:
    case Node::Kind::capture:
      return is_straight_at_end(node.parts[0]);
    case Node::Kind::repeat:
      return !node.lazy &&
             (is_straight(node.parts[0]) || (node.least <= 1 && is_straight_at_end(node.parts[0])));
    case Node::Kind::atomic:
      return node.parts[0].kind == Node::Kind::repeat && is_straight_at_end(node.parts[0]);
    case Node::Kind::character:
      return true;
    default:
      return is_straight(node);
  }
}

}  // namespace

bool early_fail_is_right(const Tree& tree) { return is_straight_at_end(tree.root); }

}  // namespace rung::regex
