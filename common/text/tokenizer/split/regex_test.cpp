// Tests of regular expressions: which patterns are rejected and with which message, how matches follow each
// other, and the errors of PCRE2's compiler. regex_parity_test.cpp tests the meaning of patterns.

#include "text/tokenizer/split/regex.hpp"
#include "core/error.hpp"
#include "testing/catch.hpp"

using namespace rung;

namespace {

using Matches = std::vector<std::string>;

/// Returns the text with brackets around each match, such as "[a]b[]".
std::string matches(const std::string& pattern, const std::string& text) {
  const Regex regex("test", pattern);
  Regex::Search search(regex, text.size());
  std::string result;
  std::size_t done = 0;
  search.run(text, [&](std::size_t begin, std::size_t end) {
    result += text.substr(done, begin - done) + "[" + text.substr(begin, end - begin) + "]";
    done = end;
  });
  return result + text.substr(done);
}

void refused(const std::string& pattern, const std::string& part) {
  INFO("pattern " << pattern);
  CHECK_THROWS_WITH(Regex("tokenizer.json", pattern),
                    testing::contains("tokenizer.json: the pattern \"") && testing::contains(part));
}

std::string times(int count, const std::string& text) {
  std::string result;
  for (int i = 0; i < count; ++i) result += text;
  return result;
}

}  // namespace

TEST_CASE("patterns: what PCRE2 cannot express is refused by the name of the construct") {
  const std::string unsupported = ", which is not supported";
  refused("(?~ab)", "an absent group (?~...)" + unsupported);
  refused("(?~|ab|c*)", "an absent group (?~...)");
  refused("(?{x})", "a callout (?{...})");
  refused("(*FAIL)", "a callout (*...)");
  refused("(*UTF8)a", "a callout (*...)");
  refused("(a)?(?(1)b|c)", "a condition (?(...)...)");
  refused("\\X", "\\X, which is about grapheme clusters" + unsupported);
  refused("a\\y", "\\y, which is about grapheme clusters");
  refused("a\\Y", "\\Y, which is about grapheme clusters");
  refused("(?y{w})a", "the option (?y{...})");
  refused("(?I)a", "the option (?I)");
  refused("(?C)(a)", "the option (?C)");
  refused("(?L)a|ab", "the option (?L)");
  refused("(?i)(a)\\1", "a backreference under (?i)");
  refused("(a|\\1b)", "a backreference inside the group that it refers to");
  refused("(?<n>a)(?<n>b)\\k<n>", "a reference to one of several groups with the same name");
  refused("(?<n>a)\\k<n+0>", "a reference with a level");
  refused("(?<n>a\\g<n>?)", "a group that calls itself");
  refused("(?<a>x\\g<b>?)(?<b>y\\g<a>?)", "a group that calls itself");
  refused("a|\\g<0>b", "a call of the whole pattern");
  refused("(?<n>a)\\g<n>\\k<n>", "a call of a group besides a backreference");
  refused("(?<n>a)(?<=\\g<n>)", "a call of a group inside a lookbehind");
  refused("(?<=ab?c)d", "a lookbehind for texts of several lengths");
  refused("(?<=a(?:b|cd))e", "a lookbehind for texts of several lengths");
  refused("(?<=(?:ab)+)c", "a lookbehind for texts of several lengths");
  refused("(?<!\\B|a+1)0", "a lookbehind for texts of several lengths");
  refused("(?<=\\R)a", "a lookbehind for texts of several lengths");
  refused("(?i)(?<=[\xC3\x9F])x", "a lookbehind for texts of several lengths");  // sharp s also matches "ss"
  refused("(?<=a{256})b", "a lookbehind for more than 255 characters");
  refused("(?<=(?<!a)b)c", "a lookbehind inside a lookbehind");
  refused("(?:a\\K)*b", "a repetition of \\K");
  refused("(?:|ab|a){2}", "a counted repetition {n,m} of an item that prefers to match nothing");
  refused("(?:a*?){0,2}b", "a counted repetition {n,m}");
  refused("(?:a|b*|c){2,}", "a counted repetition {n,m}");
  refused("\\B\\O+", "an unlimited dot at its beginning, behind a position such as \\b");
  refused("a|(?=x)(?:.*)b", "an unlimited dot at its beginning");
  refused("(?m)(?<!a)(.+)", "an unlimited dot at its beginning");
  refused("(a|)*\\1", "a backreference besides a repetition of a group that may match nothing");
  refused("(a){0}\\1", "a backreference besides a repetition of a group");
  refused("(?=a\\K)b", "\\K inside a lookahead or lookbehind");
  refused("(?:abc){1}+", "a repetition of a group behind {1}");
  refused("a" + times(9, "{2}"), "more than 8 repetitions of one item");
  refused("a{70000}", "the count of a repetition above 65535");
  refused(times(101, "(") + times(101, ")"), "groups or sets nested more than 100 deep");
  refused(times(101, "[") + "a" + times(101, "]"), "groups or sets nested more than 100 deep");
  refused(times(300, "(?i)"), "groups or sets nested more than 100 deep");
  refused("(?i)" + times(201, "[a]"), "more than 200 sets [...] under (?i)");
  refused(times(10'000, "\\b"), "more than 262144 bytes when written for PCRE2");
  refused("\\p{InBasicLatin}", "the property \\p{InBasicLatin}");
  refused("\\p{Age=6.0}", "the property \\p{Age=6.0}");
  refused("[\\p{Diacritic}]", "the property \\p{Diacritic}");
  refused("\\p{^Xan}", "the property \\p{Xan}");  // a property that only PCRE2 has
  refused("\\p{L&}", "the property \\p{L&}");
  refused("\\p{sc:Han}", "the property \\p{sc:Han}");
  refused("\\p{bidi_al}", "the property \\p{bidi_al}");
  refused("\\p{}", "the property \\p{}");
  refused("a\\xE9", "the byte 0xE9 of a character; write \\x{E9}");
  refused("[\\x80-\\xff]", "the byte 0x80 of a character");
  refused("\\303\\251", "the byte 0xC3 of a character");
  refused("\\x{41 42}", "several characters in one \\x{...}");
  refused("\\x{D800}", "the character number 0xD800, which no text has");
  refused("[\\x{100}-\\x{7fffffff}]", "the character number 0x7FFFFFFF, which no text has");
  refused("\\xg", "the number of a character with too few digits");
  refused("\\u12", "the number of a character with too few digits");
  refused("\\M-a", "\\M-, a character with its high bit set");
  refused("\\c\\a", "a control character of another escape");
  refused("[^a[b[^c]]]", "a negated set inside a negated set");
  refused("[a[^\\x{0}-\\x{100}]]", "a range from \\x{0} in a set inside a set");
  refused("[a-[b]]", "a range that ends with a set of characters");
}

TEST_CASE("patterns: what Oniguruma does not compile is refused with the reason") {
  const auto invalid = [](const std::string& pattern, const std::string& part) {
    refused(pattern, "\" is not a regular expression: " + part);
  };
  invalid("(", "a group has no )");
  invalid("(?:a", "a group has no )");
  invalid("(?i", "a group has no )");
  invalid("a)", "it has a ) without a (");
  invalid("a(?#b", "a comment has no end");
  invalid("[a", "a set has no ]");
  invalid("[[a]", "a set has no ]");
  invalid("[]", "it has an empty set []");
  invalid("[z-a]", "a range in a set ends before it begins");
  invalid("[a-\\d]", "a range ends with a set of characters");
  invalid("[\\d-a]", "a range begins with a set of characters");
  invalid("[[:letter:]]", "[:letter:] is not a set of characters");
  invalid("a\\", "it ends with a backslash");
  invalid("[\\", "it ends with a backslash");
  invalid("*a", "a repetition has nothing in front of it");
  invalid("a|+", "a repetition has nothing in front of it");
  invalid("{1}a", "a repetition has nothing in front of it");
  invalid("^*", "it repeats a position");
  invalid("(?=a)?", "it repeats a position");
  invalid("(?:\\b|a)+", "it repeats a position");
  invalid("\\K+", "it repeats a position");
  invalid("(?P<n>a)", "a group begins with (?P<");
  invalid("(?|a|b)", "a group begins with (?|");
  invalid("(?s)a", "a group begins with (?s");
  invalid("(?a)b", "a group begins with (?a");
  invalid("(?u:b)", "a group begins with (?u");
  invalid("(?^i)a", "a group begins with (?^");
  invalid("(?)a", "a group begins with (?)");
  invalid("(?R)", "a group begins with (?R");
  invalid("(?1)(a)", "a group begins with (?1");
  invalid("\\p{L", "a property \\p{ has no end");
  invalid("\\1", "it has no group number 1");
  invalid("(a)\\k<2>", "it has no group number 2");
  invalid("(a)\\k<-2>", "it has no group number 0");
  invalid("\\k<n>(?<n>a)", "no group in front of a reference has the name n");
  invalid("\\g<n>", "no group has the name n");
  invalid("(?<n>a)(b)\\1", "it refers to a group by its number");
  invalid("(?<=(?=a)b)c", "a lookbehind holds a lookahead");
  invalid("(?<!(a))b", "a lookbehind (?<!...) holds a group");
  invalid("(?<=a\\z)", "a lookbehind holds the end of the text");
  invalid("a\xFF", "it is not valid UTF-8");
}

// This is how the iterator of Rust's crate onig 6.5.3 works, which `normalizers.Replace` of tokenizers 0.23.3
// uses.
TEST_CASE("patterns: an empty match where the match before it ends is none") {
  CHECK(matches("a*", "baac") == "[]b[aa]c[]");
  CHECK(matches("", "ab") == "[]a[]b[]");
  CHECK(matches("", "").empty());
  CHECK(matches("^", "").empty());
  CHECK(matches("x*$", "axx") == "a[xx]");
  CHECK(matches("\\w\\K", "ab") == "a[]b[]");
  CHECK(matches("\\G", "ab") == "[]a[]b[]");
  CHECK(matches("b?",
                "\xC3\xA9"
                "b") == "[]\xC3\xA9[b]");
}

// PCRE2 10.42's JIT compiler misses these matches unless its start optimizations are off. It also finds one
// that is not a match.
TEST_CASE("patterns: matches that PCRE2's start optimizations lose") {
  CHECK(matches("(?>a+?)b", "aaab") == "aa[ab]");
  CHECK(matches("(?>x|a+?)b", "aaab") == "aa[ab]");
  CHECK(matches("(?:,|)[^x]*^", ",aa") == "[],aa");
  CHECK(matches("(?:,|)[^x]*?^", ",aa") == "[],aa");
  CHECK(matches("(?i)(?:ss|)[^x]*^", "ssa") == "[]ssa");
}

TEST_CASE("patterns: lines end with line feeds only, and \\s has no U+180E") {
  CHECK(matches(".+$",
                "a\r\nb\xC2\x85"
                "c") ==
        "[a\r]\n[b\xC2\x85"
        "c]");
  CHECK(matches("\\s+", "a\xE1\xA0\x8E b") == "a\xE1\xA0\x8E[ ]b");
}

TEST_CASE("patterns: a run of letters without a match takes time in proportion to it") {
  // With quadratic time, this would take minutes.
  CHECK(matches("\\p{L}+\\d", std::string(2'000'000, 'a')) == std::string(2'000'000, 'a'));
}
