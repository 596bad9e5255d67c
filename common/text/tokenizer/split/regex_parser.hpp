#pragma once
// The parser of Oniguruma's patterns; the regex_parse*.cpp files define its functions.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "text/tokenizer/split/regex_set.hpp"
#include "text/tokenizer/split/regex_tree.hpp"

namespace rung::regex {

class Parser {
 public:
  explicit Parser(const Origin& origin) : origin_(origin), text_(origin.pattern) {}
  Tree read();

 private:
  /// The options that (?imxWDSP) sets up to the end of the group.
  struct Options {
    bool ignore_case = false;  // i
    bool dot_is_any = false;   // m: the dot also matches a line feed
    bool extended = false;     // x: white space and # comments are ignored
    AsciiOnly ascii = {};      // W, D, S, P
  };

  // The text of the pattern.
  bool done() const { return at_ == text_.size(); }
  bool next_is(char c) const { return at_ < text_.size() && text_[at_] == c; }
  bool accept(std::string_view expected);
  char32_t take();
  std::string_view take_until(char end, std::string_view what);
  void skip_comments();
  void descend();

  // Groups and sequences.
  Node alternatives();
  Node sequence();
  Node repeated();
  Node atom(bool& is_plain_group);
  Node group(bool& is_plain_group);
  Node body_of_group(Node node);
  Node options();
  Node named_capture(char end);
  Node character(char32_t code) const;
  bool quantifier(Node& repeat, bool& possessive);
  bool interval(Node& repeat, bool& possessive);
  std::optional<unsigned> number(unsigned limit, std::string_view what);

  // What follows a backslash.
  Node escape();
  std::optional<CharacterSet> named_set(char32_t letter, bool in_set);
  char32_t escaped_character(char32_t letter);
  char32_t digits(int base, int least, int most, char end);
  char32_t byte(char32_t code) const;
  char32_t control();
  Node numbered_reference();
  Node reference(Node::Kind kind);
  Node backreference(int number);

  // Parse [...] after the first bracket.
  CharacterSet set(bool& negated);
  std::optional<CharacterSet> posix_bracket();
  Node set_node();

  Origin origin_;
  std::string_view text_;
  std::size_t at_ = 0;
  Options options_;
  int depth_ = 0;  // of nested groups and sets
  // Numbers of enclosing lookarounds, and of enclosing lookbehinds (?<=...) and (?<!...) among them.
  int looks_ = 0, behind_ = 0, not_behind_ = 0;
  int captures_ = 0;
  int sets_ = 0, negated_sets_ = 0;  // numbers of enclosing sets
  int folded_sets_ = 0;              // sets under (?i)
  struct Name {
    std::string name;
    int number;
  };
  std::vector<Name> names_;
  std::vector<int> open_;     // the captures that enclose the current position
  bool has_numbers_ = false;  // whether a reference uses a number
  bool has_backreferences_ = false;
};

}  // namespace rung::regex
