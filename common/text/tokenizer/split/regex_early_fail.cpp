// Which patterns PCRE2's optimizations for the search of a match's beginning are right for.
//
// The JIT compiler of PCRE2 10.42 remembers where a repetition failed, and does not try again there when the
// match begins at the next character ("early fail"). Without that, \p{L}+\d takes time in the square of a run
// of letters. But it keeps what it remembers when a repetition is tried from an earlier place, or ends
// earlier, and then misses matches: (?:,|)[^x]*^ has one in ",a", and (?>a+?)b has one in "aab". So the
// optimizations are left on for patterns only in which the items in front of a repetition have one length.

#include <algorithm>

#include "text/tokenizer/split/regex_tree.hpp"

namespace rung::regex {
namespace {

/// Nothing in it is lazy, atomic or a choice between texts of several lengths.
bool is_straight(const Node& node) {
  switch (node.kind) {
    case Node::Kind::alternatives:
    case Node::Kind::atomic:
    case Node::Kind::backreference:
    case Node::Kind::call:
      return false;
    case Node::Kind::character:
      return !node.ignore_case;  // U+00DF may be two characters
    case Node::Kind::text:
      return node.least == node.most;
    case Node::Kind::look:
      return true;  // that optimization does not look inside
    default:
      return !node.lazy && std::all_of(node.parts.begin(), node.parts.end(), is_straight);
  }
}

/// x?+, x*+ and x++, which take all that they can.
bool is_possessive(const Node& node) {
  return node.kind == Node::Kind::atomic && node.parts[0].kind == Node::Kind::repeat && !node.parts[0].lazy &&
         is_straight(node.parts[0]);
}

/// The same where nothing follows, so that a choice does not matter.
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
