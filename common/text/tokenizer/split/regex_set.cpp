// Oniguruma's named sets of characters.
//
// The tables behind \p{...} are PCRE2's: Unicode 14 in PCRE2 10.42 (Debian 12), whereas `tokenizers` 0.23 has
// Unicode 16. The sets below agree for the characters of Unicode 14. PCRE2 knows no properties of the 10,301
// characters that were added later, so for example \p{L} matches no letter among them. Only U+1171E changed:
// it is Mc in Unicode 14 and Mn in Unicode 16. Properties in which more characters changed are not in the
// lists and are rejected.

#define PCRE2_CODE_UNIT_WIDTH 8
#include "text/tokenizer/split/regex_set.hpp"

#include <fmt/format.h>
#include <pcre2.h>

#include <algorithm>
#include <array>

#include "core/ascii.hpp"

namespace rung::regex {
namespace {

/// Characters of Unicode 14 that became alphabetic later, and the same for lower case.
constexpr std::string_view kAlphabetic =
    R"(\p{Alphabetic}\x{363}-\x{36F}\x{C04}\x{F82}\x{F83}\x{1DD3}-\x{1DE6}\x{11080}\x{11081})";
constexpr std::string_view kLowercase = R"(\p{Lowercase}\x{10FC}\x{A7F2}-\x{A7F4}\x{AB69})";
/// White_Space. PCRE2's own \s still contains U+180E, which Unicode has removed.
constexpr std::string_view kSpace = R"(\t-\r\x{85}\p{Z})";
constexpr std::string_view kWord =
    R"(\p{L}\p{M}\p{Nd}\p{Nl}\p{Pc}\x{24B6}-\x{24E9}\x{1F130}-\x{1F149}\x{1F150}-\x{1F169}\x{1F170}-\x{1F189})";
constexpr std::string_view kWordOfLatin1 = R"(\x{B2}\x{B3}\x{B9}\x{BC}-\x{BE})";
constexpr std::string_view kAsciiWord = "0-9A-Z_a-z";

struct PosixSet {
  std::string_view name, listed, ascii;
};

/// The sets of [[:name:]], which Oniguruma defines by Unicode's properties (doc/RE, section 6).
constexpr std::array<PosixSet, 14> kPosix = {{
    {"alnum", "", "0-9A-Za-z"},  // alpha and digit
    {"alpha", kAlphabetic, "A-Za-z"},
    {"ascii", R"(\x00-\x7F)", R"(\x00-\x7F)"},
    {"blank", R"(\t\p{Zs})", R"(\t\x20)"},
    {"cntrl", R"(\p{Cc})", R"(\x00-\x1F\x7F)"},
    {"digit", R"(\p{Nd})", "0-9"},
    {"graph", R"(\p{L}\p{M}\p{N}\p{P}\p{S}\p{Cf}\p{Co})", R"(\x21-\x7E)"},
    {"lower", kLowercase, "a-z"},
    {"print", R"(\p{L}\p{M}\p{N}\p{P}\p{S}\p{Cf}\p{Co}\p{Zs})", R"(\x20-\x7E)"},
    {"punct", R"(\p{P}\p{S})", R"(\x21-\x2F\x3A-\x40\x5B-\x60\x7B-\x7E)"},
    {"space", kSpace, R"(\t-\r\x20)"},
    {"upper", R"(\p{Uppercase})", "A-Z"},
    {"word", kWord, kAsciiWord},
    {"xdigit", "0-9A-Fa-f", "0-9A-Fa-f"},
}};

struct Alias {
  std::string_view name, listed;
};

/// General categories by their long names, and other sets that have a different spelling in PCRE2.
constexpr std::array<Alias, 50> kAliases = {{
    {"any", R"(\x{0}-\x{10FFFF})"},
    {"assigned", R"(\P{Cn})"},
    {"newline", R"(\n)"},
    {"posixpunct", R"(\p{P}\p{S})"},
    {"alphabetic", kAlphabetic},
    {"lowercase", kLowercase},
    {"whitespace", kSpace},
    {"wspace", kSpace},
    {"lc", R"(\p{Lu}\p{Ll}\p{Lt})"},
    {"casedletter", R"(\p{Lu}\p{Ll}\p{Lt})"},
    {"mc", R"(\p{Mc}\x{1171E})"},
    {"nonspacingmark", R"(\p{Mn})"},
    {"other", R"(\p{C})"},
    {"control", R"(\p{Cc})"},
    {"format", R"(\p{Cf})"},
    {"unassigned", R"(\p{Cn})"},
    {"privateuse", R"(\p{Co})"},
    {"surrogate", R"(\p{Cs})"},
    {"letter", R"(\p{L})"},
    {"lowercaseletter", R"(\p{Ll})"},
    {"modifierletter", R"(\p{Lm})"},
    {"otherletter", R"(\p{Lo})"},
    {"titlecaseletter", R"(\p{Lt})"},
    {"uppercaseletter", R"(\p{Lu})"},
    {"mark", R"(\p{M})"},
    {"combiningmark", R"(\p{M})"},
    {"spacingmark", R"(\p{Mc}\x{1171E})"},
    {"enclosingmark", R"(\p{Me})"},
    {"number", R"(\p{N})"},
    {"decimalnumber", R"(\p{Nd})"},
    {"letternumber", R"(\p{Nl})"},
    {"othernumber", R"(\p{No})"},
    {"punct", R"(\p{P})"},  // [[:punct:]] also contains symbols
    {"punctuation", R"(\p{P})"},
    {"connectorpunctuation", R"(\p{Pc})"},
    {"dashpunctuation", R"(\p{Pd})"},
    {"closepunctuation", R"(\p{Pe})"},
    {"finalpunctuation", R"(\p{Pf})"},
    {"initialpunctuation", R"(\p{Pi})"},
    {"otherpunctuation", R"(\p{Po})"},
    {"openpunctuation", R"(\p{Ps})"},
    {"symbol", R"(\p{S})"},
    {"currencysymbol", R"(\p{Sc})"},
    {"modifiersymbol", R"(\p{Sk})"},
    {"mathsymbol", R"(\p{Sm})"},
    {"othersymbol", R"(\p{So})"},
    {"separator", R"(\p{Z})"},
    {"lineseparator", R"(\p{Zl})"},
    {"paragraphseparator", R"(\p{Zp})"},
    {"spaceseparator", R"(\p{Zs})"},
}};

/// Properties with the same name and the same characters of Unicode 14 in both engines.
constexpr std::string_view kSameInBoth =
    " c cc cf cn co cs l ll lm lo lt lu m mc me n nd nl no p pc pd pe pf pi po ps s sc sk sm so z zl zp zs"
    " ahex asciihexdigit bidic bidicontrol changeswhencasefolded changeswhenlowercased cwcf cwl dash"
    " defaultignorablecodepoint dep deprecated di ebase ecomp emod emoji emojicomponent emojimodifier"
    " emojimodifierbase emojipresentation epres extendedpictographic extpict graphemelink grlink hex hexdigit"
    " ideo ideographic ids idsb idsbinaryoperator idst idstart idstrinaryoperator joinc joincontrol loe"
    " logicalorderexception math nchar noncharactercodepoint patsyn patternsyntax patternwhitespace patws pcm"
    " prependedconcatenationmark qmark quotationmark radical regionalindicator ri sd softdotted uideo"
    " unifiedideograph uppercase variationselector vs xids xidstart ";

bool is_ascii_set(std::string_view name, const AsciiOnly& ascii) {
  return ascii.posix || (name == "word" && ascii.word) || (name == "digit" && ascii.digit) ||
         (name == "space" && ascii.space);
}

/// Whether the list consists of a single \p{...}.
bool is_one_property(std::string_view listed) {
  return listed.substr(0, 2) == "\\p" && listed.find('}') + 1 == listed.size();
}

bool compiles_alone(const std::string& pattern) {
  int error = 0;
  PCRE2_SIZE offset = 0;
  pcre2_code* const code = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(),
                                         PCRE2_UTF | PCRE2_UCP, &error, &offset, nullptr);
  pcre2_code_free(code);
  return code != nullptr;
}

}  // namespace

std::string one_of(const CharacterSet& set) {
  if (set.others.empty()) {
    if (is_one_property(set.listed)) return set.listed;  // PCRE2 matches it faster than a class
    return set.listed.empty() ? R"([^\x{0}-\x{10FFFF}])" : fmt::format("[{}]", set.listed);
  }
  if (set.listed.empty() && set.others.size() == 1) return set.others[0];
  std::string all;
  if (!set.listed.empty()) all = fmt::format("[{}]|", set.listed);
  return fmt::format("(?:{}{})", all, fmt::join(set.others, "|"));
}

CharacterSet complement(const CharacterSet& set) {
  if (set.others.empty() && is_one_property(set.listed)) return {"\\P" + set.listed.substr(2)};
  const std::string unlisted = set.listed.empty() ? "." : fmt::format("[^{}]", set.listed);
  if (set.others.empty()) return {"", {unlisted}};
  return {"", {fmt::format("(?:(?!{}){})", fmt::join(set.others, "|"), unlisted)}};
}

CharacterSet intersection(const CharacterSet& a, const CharacterSet& b) {
  return {"", {fmt::format("(?:(?={}){})", one_of(b), one_of(a))}};
}

void unite(CharacterSet& set, const CharacterSet& more) {
  set.listed += more.listed;
  set.others.insert(set.others.end(), more.others.begin(), more.others.end());
}

void add_range(CharacterSet& set, char32_t first, char32_t last) {
  set.listed += literal(first);
  if (last > first) set.listed += "-" + literal(last);
}

std::string literal(char32_t code) {
  const char c = code < 0x80 ? static_cast<char>(code) : '\0';
  return is_ascii_letter(c) || is_ascii_digit(c) ? std::string{c}
                                                 : fmt::format("\\x{{{:X}}}", static_cast<unsigned>(code));
}

std::optional<CharacterSet> posix_set(std::string_view name, const AsciiOnly& ascii) {
  for (const PosixSet& set : kPosix) {
    if (set.name != name) continue;
    if (is_ascii_set(name, ascii)) return CharacterSet{std::string(set.ascii)};
    if (name == "alnum") return CharacterSet{std::string(kAlphabetic) + R"(\p{Nd})"};
    return CharacterSet{std::string(set.listed)};
  }
  return std::nullopt;
}

std::optional<CharacterSet> property_set(std::string_view name, const AsciiOnly& ascii, bool in_brackets) {
  std::string plain;  // the form in which Oniguruma compares names
  for (const char c : name) {
    if (c != ' ' && c != '-' && c != '_') plain += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  }
  const bool has_symbols =
      !std::all_of(plain.begin(), plain.end(), [](char c) { return c >= 'a' && c <= 'z'; });
  if (plain.empty() || has_symbols) return std::nullopt;
  if (plain == "word" && !in_brackets) return word_set(ascii);
  if (plain != "punct") {
    if (std::optional<CharacterSet> set = posix_set(plain, ascii)) return set;
  }
  if (plain == "posixpunct" && ascii.posix) return posix_set("punct", ascii);
  for (const Alias& alias : kAliases) {
    if (alias.name == plain) return CharacterSet{std::string(alias.listed)};
  }
  if (kSameInBoth.find(" " + plain + " ") != std::string_view::npos)
    return CharacterSet{"\\p{" + plain + "}"};
  // Scripts. In PCRE2, the bare name means all characters that are used with a script (Script_Extensions), so
  // \p{Han} would contain the ideographic full stop U+3002.
  const std::string script = "\\p{sc:" + plain + "}";
  if (compiles_alone(script)) return CharacterSet{script};
  return std::nullopt;
}

CharacterSet word_set(const AsciiOnly& ascii) {
  if (is_ascii_set("word", ascii)) return {std::string(kAsciiWord)};
  return {fmt::format("{}{}", kWord, kWordOfLatin1)};
}

}  // namespace rung::regex
