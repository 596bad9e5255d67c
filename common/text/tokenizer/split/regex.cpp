// Regular expressions, run by PCRE2.

#define PCRE2_CODE_UNIT_WIDTH 8
#include "text/tokenizer/split/regex.hpp"

#include <pcre2.h>

#include <algorithm>
#include <array>

#include "core/error.hpp"
#include "text/tokenizer/split/regex_tree.hpp"
#include "text/utf8.hpp"

namespace rung {
namespace {

PCRE2_SPTR as_pcre(std::string_view text) { return reinterpret_cast<PCRE2_SPTR>(text.data()); }

/// Returns null and sets `error` if PCRE2 cannot compile the translated pattern.
pcre2_code* compile_pattern(const regex::Origin& origin, int& error) {
  // In a run of spaces, PCRE2 would try this pattern at every space and scan to the end of the run each time.
  // Either the whole run matches from its beginning, or nothing in it does.
  if (origin.pattern == R"(\s+$)") return compile_pattern({origin.source, R"((?<!\s)\s+$)"}, error);
  const regex::Tree tree = regex::read_pattern(origin);
  regex::check_pattern(origin, tree);
  const std::string text = regex::write_pattern(origin, tree);
  std::uint32_t options = PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE | PCRE2_DOTALL | PCRE2_NEVER_BACKSLASH_C;
  if (!regex::early_fail_is_right(tree)) options |= PCRE2_NO_START_OPTIMIZE;
  pcre2_compile_context* const context = pcre2_compile_context_create(nullptr);
  pcre2_set_newline(context, PCRE2_NEWLINE_LF);
  PCRE2_SIZE offset = 0;
  pcre2_code* const code = pcre2_compile(as_pcre(text), text.size(), options, &error, &offset, context);
  pcre2_compile_context_free(context);
  return code;
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
  compiled_->code = compile_pattern({source_, pattern_}, error);
  if (compiled_->code == nullptr) {
    fail("{}: the pattern \"{}\" cannot be compiled: {}", source_, pattern_, pcre2_sentence(error));
  }
  compiled_->jit = pcre2_jit_compile(compiled_->code, PCRE2_JIT_COMPLETE) == 0;
}

Regex::~Regex() = default;

/// The memory of one match, and the limits for PCRE2.
struct Regex::Search::State {
  pcre2_match_data* data = pcre2_match_data_create(1, nullptr);
  pcre2_match_context* context = pcre2_match_context_create(nullptr);
  pcre2_jit_stack* stack = nullptr;  // created when PCRE2's own 32 KiB are not enough

  explicit State(std::size_t bytes) {
    // Some patterns backtrack through a run of spaces byte by byte. The limit exists for patterns that take
    // exponential time, so a multiple of the length is enough for all useful patterns.
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
      constexpr std::size_t kStackBytes = std::size_t{256} << 20;  // reserved; allocated when touched
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

bool Regex::Search::next(std::string_view text, std::size_t from, std::size_t& begin, std::size_t& end) {
  const int status = state_->match(*regex_.compiled_, text, from);
  if (status == PCRE2_ERROR_NOMATCH) return false;
  if (status < 0) {
    fail("{}: the pattern \"{}\" failed on a text of {} bytes: {}", regex_.source_, regex_.pattern_,
         text.size(), pcre2_sentence(status));
  }
  const PCRE2_SIZE* ends = pcre2_get_ovector_pointer(state_->data);
  begin = ends[0];
  end = ends[1];
  return true;
}

std::size_t Regex::Search::after(std::string_view text, std::size_t at) {
  return at < text.size() ? at + utf8_next(text, at).length : at + 1;
}

}  // namespace rung
