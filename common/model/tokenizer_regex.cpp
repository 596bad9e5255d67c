// Regular expressions through PCRE2.

#define PCRE2_CODE_UNIT_WIDTH 8
#include "model/tokenizer_regex.hpp"

#include <pcre2.h>

#include <algorithm>
#include <array>

#include "core/error.hpp"
#include "model/tokenizer_utf8.hpp"

namespace rung {
namespace {

/// White_Space. PCRE2's own \s has U+180E, which Unicode no longer counts.
constexpr std::string_view kSpace = R"(\t-\r\x{85}\p{Z})";
/// \w as Oniguruma has it, whose patterns these are: Alphabetic, Mark, Decimal_Number, Connector_Punctuation,
/// and the superscripts and fractions of Latin-1. No joiners, which Unicode TR18 (annex C) counts.
constexpr std::string_view kWord =
    R"(\p{L}\p{M}\p{Nd}\p{Nl}\p{Pc}\x{B2}\x{B3}\x{B9}\x{BC}-\x{BE}\x{24B6}-\x{24E9}\x{1F130}-\x{1F149}\x{1F150}-\x{1F169}\x{1F170}-\x{1F189})";

PCRE2_SPTR as_pcre(std::string_view text) { return reinterpret_cast<PCRE2_SPTR>(text.data()); }

[[noreturn]] void unsupported(const std::string& source, std::string_view pattern, std::string_view what) {
  fail("{}: the pattern \"{}\" has {}, which is not supported", source, pattern, what);
}

/// One escape sequence, pattern[i] being the letter behind the backslash.
std::string escape(const std::string& source, std::string_view pattern, char letter, bool in_class) {
  switch (letter) {
    case 's':
      return in_class ? std::string(kSpace) : fmt::format("[{}]", kSpace);
    case 'w':
      return in_class ? std::string(kWord) : fmt::format("[{}]", kWord);
    case 'S':
      if (in_class) return R"(\S)";
      return fmt::format("[^{}]", kSpace);
    case 'W':
      if (in_class) unsupported(source, pattern, "\\W inside a set of characters");
      return fmt::format("[^{}]", kWord);
    case 'b':  // PCRE2's own knows other word characters
      if (in_class) return R"(\b)";
      return fmt::format("(?:(?<=[{0}])(?![{0}])|(?<![{0}])(?=[{0}]))", kWord);
    case 'B':
      return fmt::format("(?:(?<=[{0}])(?=[{0}])|(?<![{0}])(?![{0}]))", kWord);
    case 'h':
    case 'H':
      unsupported(source, pattern, "\\h, which means hexadecimal digits to some and white space to others");
    default:
      return {'\\', letter};
  }
}

/// A property by its name, \p{Han}. To PCRE2 the name of a script means, since version 10.40, the characters
/// used with it (Script_Extensions), so that \p{Han} has the full stop U+3002; elsewhere it means Script
/// alone, which is written \p{sc:Han}.
std::string property(char letter, std::string_view name) {
  const std::string plain = fmt::format("\\{}{{{}}}", letter, name);
  if (name.size() < 3) return plain;  // general categories: of one or two letters
  const bool negated = name.starts_with('^');
  const std::string script =
      fmt::format("\\{}{{{}sc:{}}}", letter, negated ? "^" : "", name.substr(negated ? 1 : 0));
  int error = 0;
  PCRE2_SIZE offset = 0;
  pcre2_code* const code =
      pcre2_compile(as_pcre(script), script.size(), PCRE2_UTF | PCRE2_UCP, &error, &offset, nullptr);
  pcre2_code_free(code);  // null: no script, or a PCRE2 that does not make the difference
  return code != nullptr ? script : plain;
}

/// The pattern in PCRE2's dialect.
std::string in_pcre2_dialect(const std::string& source, std::string_view pattern) {
  // From every place of a run of spaces this would look to the end of the run again; a run has a match from
  // its beginning or none.
  if (pattern == R"(\s+$)") return fmt::format("(?<![{}])[{}]+$", kSpace, kSpace);
  std::string result;
  int depth = 0;  // of sets
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    if (const std::size_t end = pattern.find('}', i);
        c == '\\' && end != std::string_view::npos &&
        (pattern.substr(i + 1, 2) == "p{" || pattern.substr(i + 1, 2) == "P{")) {
      result += property(pattern[i + 1], pattern.substr(i + 3, end - i - 3));
      i = end;
      continue;
    }
    if (c == '\\' && i + 1 < pattern.size()) {
      result += escape(source, pattern, pattern[++i], depth > 0);
      continue;
    }
    if (depth == 0) {
      result += c;
      if (c != '[') continue;
      depth = 1;
      if (pattern.substr(i + 1, 1) == "^") result += pattern[++i];
      if (pattern.substr(i + 1, 1) == "]") result += pattern[++i];  // in front it is a character
      continue;
    }
    if (pattern.substr(i, 2) == "&&") unsupported(source, pattern, "an intersection of sets (&&)");
    if (c == '[' && pattern.substr(i, 2) == "[:") {  // [:alpha:]
      const std::size_t end = pattern.find(":]", i);
      if (end == std::string_view::npos) unsupported(source, pattern, "an unfinished [: :]");
      result += pattern.substr(i, end + 2 - i);
      i = end + 1;
    } else if (c == '[') {
      if (pattern.substr(i + 1, 1) == "^") unsupported(source, pattern, "a negated set inside a set");
      ++depth;  // the union of both: the inner brackets go
    } else if (c == ']') {
      if (--depth == 0) result += c;
    } else {
      result += c;
    }
  }
  return result;
}

std::string pcre2_sentence(int code) {
  std::array<PCRE2_UCHAR, 256> buffer{};
  pcre2_get_error_message(code, buffer.data(), buffer.size());
  return reinterpret_cast<const char*>(buffer.data());
}

}  // namespace

struct Regex::Compiled {
  pcre2_code* code = nullptr;
  bool jit = false;
  ~Compiled() { pcre2_code_free(code); }
};

Regex::Regex(std::string source, std::string pattern)
    : source_(std::move(source)), pattern_(std::move(pattern)), compiled_(std::make_unique<Compiled>()) {
  constexpr std::size_t kMaxPattern = 64 << 10;
  if (pattern_.size() > kMaxPattern) {
    fail("{}: a pattern has {} bytes; the limit is {}", source_, pattern_.size(), kMaxPattern);
  }
  int error = 0;
  PCRE2_SIZE offset = 0;
  const std::string text = in_pcre2_dialect(source_, pattern_);
  compiled_->code = pcre2_compile(as_pcre(text), text.size(),
                                  PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C, &error,
                                  &offset, nullptr);
  if (compiled_->code == nullptr) {
    fail("{}: the pattern \"{}\" is not a regular expression: {}", source_, pattern_, pcre2_sentence(error));
  }
  compiled_->jit = pcre2_jit_compile(compiled_->code, PCRE2_JIT_COMPLETE) == 0;
}

Regex::~Regex() = default;

/// Memory for one match, and PCRE2's limits.
struct Regex::Search::State {
  pcre2_match_data* data = pcre2_match_data_create(1, nullptr);
  pcre2_match_context* context = pcre2_match_context_create(nullptr);
  pcre2_jit_stack* stack = nullptr;  // made when the 32 KiB that PCRE2 has by itself are not enough

  explicit State(std::size_t bytes) {
    // Some patterns step back over a run of spaces byte by byte. The limit is there for patterns that
    // take exponential time, so a multiple of the length is enough for all that are worth running.
    const std::size_t limit = 10'000'000 + 16 * bytes;
    pcre2_set_match_limit(context, static_cast<std::uint32_t>(std::min<std::size_t>(limit, UINT32_MAX)));
  }
  ~State() {
    pcre2_match_data_free(data);
    pcre2_match_context_free(context);
    pcre2_jit_stack_free(stack);
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  int match(const Compiled& pattern, std::string_view text, std::size_t from) {
    if (!pattern.jit) {
      return pcre2_match(pattern.code, as_pcre(text), text.size(), from, PCRE2_NO_UTF_CHECK, data, context);
    }
    int status =
        pcre2_jit_match(pattern.code, as_pcre(text), text.size(), from, PCRE2_NO_UTF_CHECK, data, context);
    if (status == PCRE2_ERROR_JIT_STACKLIMIT && stack == nullptr) {
      constexpr std::size_t kStackBytes = std::size_t{256} << 20;  // reserved; touched as needed
      stack = pcre2_jit_stack_create(64 << 10, kStackBytes, nullptr);
      if (stack == nullptr) return status;
      pcre2_jit_stack_assign(context, nullptr, stack);
      status =
          pcre2_jit_match(pattern.code, as_pcre(text), text.size(), from, PCRE2_NO_UTF_CHECK, data, context);
    }
    return status;
  }
};

Regex::Search::Search(const Regex& regex, std::size_t longest_text)
    : regex_(regex), state_(std::make_unique<State>(longest_text)) {}
Regex::Search::~Search() = default;

bool Regex::Search::next(std::string_view text, std::size_t from, std::size_t done, std::size_t& begin,
                         std::size_t& end) {
  const int status = state_->match(*regex_.compiled_, text, from);
  if (status == PCRE2_ERROR_NOMATCH) return false;
  if (status < 0) {
    fail("{}: the pattern \"{}\" failed on a text of {} bytes: {}", regex_.source_, regex_.pattern_,
         text.size(), pcre2_sentence(status));
  }
  const PCRE2_SIZE* ends = pcre2_get_ovector_pointer(state_->data);
  // \K can move the beginning behind the end or in front of what was handed on already.
  begin = std::max<std::size_t>(ends[0], done);
  end = std::max<std::size_t>(ends[1], begin);
  return true;
}

std::size_t Regex::Search::after(std::string_view text, std::size_t at) {
  return at < text.size() ? at + utf8_next(text, at).length : at + 1;
}

}  // namespace rung
