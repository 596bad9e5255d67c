// Rejects patterns that Oniguruma and PCRE2 match differently in every possible translation.
//
// Both engines try the alternatives of a pattern in the same order, except in repetitions of an item that can
// match the empty text. Oniguruma ends a counted repetition at the first empty item, but PCRE2 continues to
// count. PCRE2 therefore finds (?:|ab|a){2}$ in "ab" by a different path. If the item tries the empty match
// last, both paths have the same end.

#include <algorithm>

#include "core/error.hpp"
#include "text/tokenizer/split/regex_tree.hpp"

namespace rung::regex {
namespace {

using Kind = Node::Kind;

/// How a node matches the empty text.
enum class Empty : std::uint8_t {
  never,
  only,        // it matches no other text
  last,        // after all other matches have failed
  in_between,  // before other matches, or unknown
};

Empty emptiness(const Node& node);

Empty emptiness_of_sequence(const Node& node) {
  Empty result = Empty::only;
  for (const Node& part : node.parts) {
    const Empty one = emptiness(part);
    if (one == Empty::never) return Empty::never;
    result = std::max(result, one);
  }
  return result;
}

Empty emptiness_of_alternatives(const Node& node) {
  bool never = true, only = true;  // for all alternatives except the last
  for (std::size_t i = 0; i + 1 < node.parts.size(); ++i) {
    const Empty one = emptiness(node.parts[i]);
    never = never && one == Empty::never;
    only = only && one == Empty::only;
  }
  const Empty last = emptiness(node.parts.back());
  if (never) return last == Empty::only ? Empty::last : last;
  return only && last == Empty::only ? Empty::only : Empty::in_between;
}

Empty emptiness(const Node& node) {
  switch (node.kind) {
    case Kind::character:
      return Empty::never;
    case Kind::text:
      return node.most == 0 ? Empty::only : Empty::never;
    case Kind::empty:
    case Kind::look:
      return Empty::only;
    case Kind::backreference:
      return Empty::last;  // it matches a single text
    case Kind::call:
      return Empty::in_between;
    case Kind::sequence:
      return emptiness_of_sequence(node);
    case Kind::alternatives:
      return emptiness_of_alternatives(node);
    case Kind::atomic:
    case Kind::group:
    case Kind::capture:
      return emptiness(node.parts[0]);
    case Kind::repeat:
      break;
  }
  const Empty part = emptiness(node.parts[0]);
  if (part == Empty::only || node.most == 0) return Empty::only;
  if (part == Empty::never && node.least > 0) return Empty::never;
  return node.lazy || part == Empty::in_between ? Empty::in_between : Empty::last;
}

bool holds(const Node& node, bool (*is)(const Node&)) {
  return is(node) || std::any_of(node.parts.begin(), node.parts.end(),
                                 [is](const Node& part) { return holds(part, is); });
}

void check_repetition(const Origin& origin, const Tree& tree, const Node& node) {
  if (holds(node, [](const Node& part) { return part.kind == Kind::text && part.text == "\\K"; })) {
    origin.refuse("a repetition of \\K");
  }
  const Empty part = emptiness(node.parts[0]);
  const bool counted = node.least > 1 || (node.most > 1 && node.most != kUnlimited);
  if (counted && part == Empty::in_between) {
    origin.refuse("a counted repetition {n,m} of an item that prefers to match nothing");
  }
  const bool matters = node.most == 0 || (part != Empty::never && node.most > 1);
  if (matters && tree.has_backreferences &&
      holds(node, [](const Node& inner) { return inner.kind == Kind::capture; })) {
    origin.refuse("a backreference besides a repetition of a group that may match nothing");
  }
}

void check_node(const Origin& origin, const Tree& tree, const Node& node) {
  if (node.kind == Kind::repeat) check_repetition(origin, tree, node);
  for (const Node& part : node.parts) check_node(origin, tree, part);
}

/// Looks for an unlimited dot at the beginning of a pattern, after nothing but positions. Oniguruma 6.9.10
/// assumes that such a pattern matches only at the beginning of the text, so in "a bc" it finds no match of
/// (?m)\B.+, for example. It handles ^, \A, \G, (?!...) and (?<=...) correctly. Returns whether the node
/// consists of positions only.
bool check_beginning(const Origin& origin, const Node& node, bool& behind_position) {
  switch (node.kind) {
    case Kind::empty:
      return true;
    case Kind::text:
      if (node.most > 0) return false;
      if (node.text != "^" && node.text != "\\A" && node.text != "\\G" && node.text != "\\K")
        behind_position = true;
      return true;
    case Kind::look:
      if (node.text == "?=" || node.text == "?<!") behind_position = true;
      return true;
    case Kind::call:
      behind_position = true;  // the contents are unknown
      return true;
    case Kind::character:
    case Kind::backreference:
      return false;
    case Kind::alternatives: {
      bool only_positions = true, behind_any = false;
      for (const Node& part : node.parts) {
        bool behind = behind_position;
        only_positions = check_beginning(origin, part, behind) && only_positions;
        behind_any = behind_any || behind;
      }
      behind_position = behind_any;
      return only_positions;
    }
    case Kind::repeat: {
      const Node& part = node.parts[0];
      const bool dot = part.kind == Kind::text && (part.text == "." || part.text == "\\N");
      if (dot && behind_position && node.most == kUnlimited && !node.lazy) {
        origin.refuse("an unlimited dot at its beginning, behind a position such as \\b");
      }
      break;
    }
    default:
      break;
  }
  return std::all_of(node.parts.begin(), node.parts.end(),
                     [&](const Node& part) { return check_beginning(origin, part, behind_position); });
}

}  // namespace

void check_pattern(const Origin& origin, const Tree& tree) {
  check_node(origin, tree, tree.root);
  bool behind_position = false;
  check_beginning(origin, tree.root, behind_position);
}

}  // namespace rung::regex
