// Writes the tree of a pattern in PCRE2's syntax.

#include <algorithm>
#include <map>

#include "core/error.hpp"
#include "text/tokenizer/split/regex_fold.hpp"
#include "text/tokenizer/split/regex_tree.hpp"

namespace rung::regex {
namespace {

/// The numbers of characters that a node can match.
struct Width {
  std::uint64_t least = 0, most = 0;
};

class PatternWriter {
 public:
  PatternWriter(const Origin& origin, const Tree& tree) : origin_(origin), tree_(tree) {
    find_captures(tree.root);
  }

  std::string write() { return any(tree_.root); }

 private:
  void find_captures(const Node& node) {
    if (node.kind == Node::Kind::capture) {
      captures_.emplace(node.number, &node);
      if (!node.text.empty()) ++named_[node.text].second, named_[node.text].first = node.number;
    }
    for (const Node& part : node.parts) find_captures(part);
  }

  /// Writes a node of any kind that is not part of a sequence.
  std::string any(const Node& node) {
    const Depth depth(*this);
    switch (node.kind) {
      case Node::Kind::empty:
        return {};
      case Node::Kind::character:
        return node.ignore_case ? any_case({&node.code, 1}, behind_) : literal(node.code);
      case Node::Kind::text:
        return node.text;
      case Node::Kind::sequence:
        return sequence(node);
      case Node::Kind::alternatives:
        return alternatives(node, [this](const Node& part) { return any(part); });
      case Node::Kind::repeat:
        return repeat(node);
      case Node::Kind::atomic:
        // Write (?>x+) as x++, for which PCRE2 stores no backtracking positions. When PCRE2 10.42 backtracks
        // to before x++, it does not reset the captures inside x, so the pattern must have no backreferences.
        if (node.parts[0].kind == Node::Kind::repeat && !node.parts[0].lazy && !tree_.has_backreferences) {
          return repeat(node.parts[0]) + "+";
        }
        return fmt::format("(?>{})", any(node.parts[0]));
      case Node::Kind::group:
        return fmt::format("(?:{})", any(node.parts[0]));
      case Node::Kind::capture:
        return fmt::format("{}{})", has_number(node) ? "(" : "(?:", any(node.parts[0]));
      case Node::Kind::look:
        return look(node);
      case Node::Kind::backreference:
        return backreference(node);
      case Node::Kind::call:
        return call(node);
    }
    return {};
  }

  /// Writes a node inside a sequence.
  std::string item(const Node& node) {
    const bool alone = node.kind != Node::Kind::alternatives;
    return alone ? any(node) : fmt::format("(?:{})", any(node));
  }

  std::string sequence(const Node& node) {
    std::string result;
    for (std::size_t i = 0; i < node.parts.size(); ++i) {
      const Node& part = node.parts[i];
      std::u32string run;  // several of these characters can be the case folding of one
      for (std::size_t next = i; next < node.parts.size(); ++next) {
        if (node.parts[next].kind != Node::Kind::character || !node.parts[next].ignore_case) break;
        run += node.parts[next].code;
      }
      result += run.empty() ? item(part) : any_case(run, behind_);
      if (!run.empty()) i += run.size() - 1;
    }
    return checked(std::move(result));
  }

  /// Writes the alternatives of a node, or the node itself if it has none, with `write`.
  template <class Write>
  std::string alternatives(const Node& node, Write&& write) {
    if (node.kind != Node::Kind::alternatives) return write(node);
    std::string result;
    for (const Node& part : node.parts) {
      if (&part != &node.parts.front()) result += '|';
      result += write(part);
    }
    return checked(std::move(result));
  }

  std::string repeat(const Node& node) {
    const Node& part = node.parts[0];
    if (node.most == 0) return "(?:)";  // PCRE2 10.42 would apply an anchor in x{0} to the whole pattern
    const bool single = part.kind == Node::Kind::character || part.kind == Node::Kind::text ||
                        part.kind == Node::Kind::group || part.kind == Node::Kind::capture;
    std::string result = single ? any(part) : fmt::format("(?:{})", any(part));
    if (node.most == kUnlimited) {
      result += node.least == 0 ? "*" : node.least == 1 ? "+" : fmt::format("{{{},}}", node.least);
    } else if (node.least == 0 && node.most == 1) {
      result += '?';
    } else if (node.least == node.most) {
      return result + fmt::format("{{{}}}", node.least);
    } else {
      result += fmt::format("{{{},{}}}", node.least, node.most);
    }
    return node.lazy ? result + '?' : result;
  }

  std::string look(const Node& node) {
    const Node& body = node.parts[0];
    behind_ = node.text == "?<=" || node.text == "?<!";  // lookarounds inside a lookbehind are rejected
    const bool alone = body.kind != Node::Kind::alternatives;
    const std::string text = alternatives(
        body, [&](const Node& part) { return behind_ ? looked_behind(part, alone) : any(part); });
    behind_ = false;
    return fmt::format("({}{})", node.text, text);
  }

  /// Writes one alternative of a lookbehind. PCRE2 accepts only alternatives of a fixed length. A repetition
  /// at the beginning of a lookbehind can be reduced to its minimum, because any text can precede the match.
  /// Oniguruma reduces it, too, but it handles other repetitions, and repetitions in one of several
  /// alternatives, differently.
  std::string looked_behind(const Node& node, bool alone) {
    Node copy = node;
    Node* first = &copy;
    while (first->kind == Node::Kind::sequence) first = first->parts.data();
    if (alone && first->kind == Node::Kind::repeat &&
        (first->parts[0].kind == Node::Kind::character || first->parts[0].kind == Node::Kind::text)) {
      first->most = first->least;
      if (first->least == 0) *first = Node();
    }
    const Width width = width_of(copy);
    constexpr unsigned kLongest = 255;
    if (width.least != width.most) origin_.refuse("a lookbehind for texts of several lengths");
    if (width.most > kLongest)
      origin_.refuse(fmt::format("a lookbehind for more than {} characters", kLongest));
    return any(copy);
  }

  Width width_of(const Node& node) {
    const Depth depth(*this);
    Width width;
    switch (node.kind) {
      case Node::Kind::character:
        return {1, 1};
      case Node::Kind::text:
        return {node.least, node.most};
      case Node::Kind::empty:
      case Node::Kind::look:
        return {};
      case Node::Kind::backreference:
        return {0, kUnlimited};
      case Node::Kind::call:
        origin_.refuse("a call of a group inside a lookbehind");
      default:
        break;
    }
    const bool choice = node.kind == Node::Kind::alternatives;
    if (choice) width.least = kUnlimited;
    for (const Node& part : node.parts) {
      const Width one = width_of(part);
      width.least = choice ? std::min(width.least, one.least) : width.least + one.least;
      width.most = choice ? std::max(width.most, one.most) : width.most + one.most;
    }
    if (node.kind == Node::Kind::repeat) {
      width.least *= node.least;
      width.most *= node.most;
    }
    constexpr std::uint64_t kEnough = kUnlimited;
    return {std::min(width.least, kEnough), std::min(width.most, kEnough)};
  }

  bool has_number(const Node& capture) const {
    return tree_.has_backreferences && (named_.empty() || !capture.text.empty());
  }

  /// Writes a backreference with the number that PCRE2 assigns to the capture.
  std::string backreference(const Node& node) {
    if (captures_.count(node.number) == 0)
      origin_.invalid(fmt::format("it has no group number {}", node.number));
    int number = 0;
    for (const auto& [ours, capture] : captures_)
      number += ours <= node.number && has_number(*capture) ? 1 : 0;
    return fmt::format("\\g{{{}}}", number);
  }

  const Node& called(const Node& node) {
    int number = node.number;
    if (!node.text.empty()) {
      const auto found = named_.find(node.text);
      if (found == named_.end()) origin_.invalid(fmt::format("no group has the name {}", node.text));
      if (found->second.second > 1) origin_.refuse("a call of one of several groups with the same name");
      number = found->second.first;
    }
    const auto found = captures_.find(number);
    if (found == captures_.end()) origin_.invalid(fmt::format("it has no group number {}", number));
    return *found->second;
  }

  /// Writes the contents of the called group in place of the call. In Oniguruma, backreferences see the match
  /// of a called group, but this is not so in PCRE2.
  std::string call(const Node& node) {
    if (tree_.has_backreferences) origin_.refuse("a call of a group besides a backreference");
    const Node& group = called(node);
    if (std::find(calls_.begin(), calls_.end(), &group) != calls_.end())
      origin_.refuse("a group that calls itself");
    calls_.push_back(&group);
    const std::string body = any(group.parts[0]);
    calls_.pop_back();
    return fmt::format("(?:{})", body);
  }

  std::string checked(std::string text) const {
    constexpr std::size_t kMaxBytes = 256 << 10;
    if (text.size() > kMaxBytes)
      origin_.refuse(fmt::format("more than {} bytes when written for PCRE2", kMaxBytes));
    return text;
  }

  struct Depth {
    explicit Depth(PatternWriter& writer) : writer_(writer) {
      constexpr int kMaxDepth = 400;
      if (++writer_.depth_ > kMaxDepth)
        writer_.origin_.refuse(fmt::format("items nested more than {} deep", kMaxDepth));
    }
    ~Depth() { --writer_.depth_; }
    Depth(const Depth&) = delete;
    Depth& operator=(const Depth&) = delete;
    PatternWriter& writer_;
  };

  Origin origin_;
  const Tree& tree_;
  bool behind_ = false;  // whether the node is inside a lookbehind
  int depth_ = 0;
  std::vector<const Node*> calls_;  // the groups whose calls are being written
  std::map<int, const Node*> captures_;
  std::map<std::string, std::pair<int, int>> named_;  // by name: last number and count of its groups
};

}  // namespace

std::string write_pattern(const Origin& origin, const Tree& tree) {
  return PatternWriter(origin, tree).write();
}

}  // namespace rung::regex
