// Pre-tokenizers: the table, and PCRE2.

#define PCRE2_CODE_UNIT_WIDTH 8
#include "model/tokenizer_pretokenize.hpp"

#include <pcre2.h>

#include <algorithm>
#include <array>

#include "core/error.hpp"
#include "model/tokenizer_utf8.hpp"

namespace rung {
namespace {

constexpr std::string_view kLlama3Pattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kQwen2Pattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

/// The pattern in PCRE2's dialect. PCRE2's \s has U+180E, which Unicode no longer counts as white space
/// (and the libraries that these patterns were written for do not): the same set, spelled out. Sets of
/// sets, which those libraries have, mean something else to PCRE2 and are refused.
std::string in_pcre2_dialect(const std::string& source, std::string_view pattern) {
  constexpr std::string_view kSpace = R"(\t-\r\x{85}\p{Z})";
  std::string result;
  bool in_class = false;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    if (c == '\\' && i + 1 < pattern.size()) {
      const char next = pattern[++i];
      if (next == 's') {
        result += in_class ? std::string(kSpace) : fmt::format("[{}]", kSpace);
      } else if (next == 'S' && !in_class) {
        result += fmt::format("[^{}]", kSpace);
      } else {
        result += {c, next};
      }
      continue;
    }
    if (in_class && (c == '[' || pattern.substr(i, 2) == "&&")) {
      fail(
          "{}: the pre-tokenizer's pattern \"{}\" has a set inside a set of characters, which is not "
          "supported",
          source, pattern);
    }
    if (c == '[') in_class = true;
    if (c == ']') in_class = false;
    result += c;
  }
  return result;
}

std::string pcre2_sentence(int code) {
  std::array<PCRE2_UCHAR, 256> buffer{};
  pcre2_get_error_message(code, buffer.data(), buffer.size());
  return reinterpret_cast<const char*>(buffer.data());
}

PCRE2_SPTR as_pcre(std::string_view text) { return reinterpret_cast<PCRE2_SPTR>(text.data()); }

}  // namespace

std::span<const PreTokenizerRow> pre_tokenizers() {
  static const std::vector<PreTokenizerRow> rows = {
      // name         patterns                                          add_bos  ignore_merges
      {"gpt-2", {std::string(kGpt2Pattern)}, false, false},
      {"llama-bpe", {std::string(kLlama3Pattern)}, true, true},
      {"qwen2", {std::string(kQwen2Pattern)}, false, false},
      {"starcoder", {R"(\p{N})", std::string(kGpt2Pattern)}, false, false},
  };
  return rows;
}

const PreTokenizerRow& find_pre_tokenizer(const std::string& source, std::string_view name) {
  std::string known;
  for (const PreTokenizerRow& row : pre_tokenizers()) {
    if (row.name == name) return row;
    known += known.empty() ? "" : ", ";
    known += row.name;
  }
  fail("{}: the pre-tokenizer \"{}\" is not known; known are {}", source, name, known);
}

struct PreTokenizer::Compiled {
  pcre2_code* code = nullptr;
  bool jit = false;
  ~Compiled() { pcre2_code_free(code); }
};

/// What one split() call needs of PCRE2: memory for one match, and its limits.
struct PreTokenizer::Matcher {
  pcre2_match_data* data = pcre2_match_data_create(1, nullptr);
  pcre2_match_context* context = pcre2_match_context_create(nullptr);
  pcre2_jit_stack* stack = nullptr;  // made when the 32 KiB that PCRE2 has by itself are not enough

  explicit Matcher(std::size_t bytes) {
    // Some patterns step back over a run of spaces byte by byte. The limit is there for patterns that
    // take exponential time, so a multiple of the length is enough for all that are worth running.
    const std::size_t limit = 10'000'000 + 16 * bytes;
    pcre2_set_match_limit(context, static_cast<std::uint32_t>(std::min<std::size_t>(limit, UINT32_MAX)));
  }
  ~Matcher() {
    pcre2_match_data_free(data);
    pcre2_match_context_free(context);
    pcre2_jit_stack_free(stack);
  }
  Matcher(const Matcher&) = delete;
  Matcher& operator=(const Matcher&) = delete;

  /// The next match in text from `from` on: as pcre2_match.
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

PreTokenizer::PreTokenizer(const std::string& source, std::vector<std::string> patterns)
    : source_(source), patterns_(std::move(patterns)) {
  for (const std::string& pattern : patterns_) {
    constexpr std::size_t kMaxPattern = 64 << 10;
    if (pattern.size() > kMaxPattern) {
      fail("{}: a pre-tokenizer's pattern has {} bytes; the limit is {}", source_, pattern.size(),
           kMaxPattern);
    }
    int error = 0;
    PCRE2_SIZE offset = 0;
    const std::string text = in_pcre2_dialect(source_, pattern);
    auto compiled = std::make_unique<Compiled>();
    compiled->code = pcre2_compile(as_pcre(text), text.size(),
                                   PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C, &error, &offset, nullptr);
    if (compiled->code == nullptr) {
      fail("{}: the pre-tokenizer's pattern \"{}\" is not a regular expression: {}", source_, pattern,
           pcre2_sentence(error));
    }
    compiled->jit = pcre2_jit_compile(compiled->code, PCRE2_JIT_COMPLETE) == 0;
    compiled_.push_back(std::move(compiled));
  }
}

PreTokenizer::~PreTokenizer() = default;

void PreTokenizer::split(std::string_view text, const std::function<void(std::string_view)>& word) const {
  Matcher matcher(text.size());
  split_level(matcher, 0, text, word);
}

void PreTokenizer::split_level(Matcher& matcher, std::size_t level, std::string_view text,
                               const std::function<void(std::string_view)>& word) const {
  if (text.empty()) return;
  if (level == compiled_.size()) {
    word(text);
    return;
  }
  std::size_t done = 0;  // text before this has been handed on
  for (std::size_t from = 0; from < text.size();) {
    const int status = matcher.match(*compiled_[level], text, from);
    if (status == PCRE2_ERROR_NOMATCH) break;
    if (status < 0) {
      fail("{}: the pre-tokenizer's pattern \"{}\" failed on a text of {} bytes: {}", source_,
           patterns_[level], text.size(), pcre2_sentence(status));
    }
    const PCRE2_SIZE* ends = pcre2_get_ovector_pointer(matcher.data);
    // \K can move the beginning behind the end or in front of what was handed on already.
    const std::size_t begin = std::max<std::size_t>(ends[0], done);
    const std::size_t end = std::max<std::size_t>(ends[1], begin);
    split_level(matcher, level + 1, text.substr(done, begin - done), word);
    split_level(matcher, level + 1, text.substr(begin, end - begin), word);
    done = end;
    std::size_t next = end;
    if (begin == end && end < text.size()) next += utf8_next(text, end).length;  // nothing matched here
    from = next > from ? next : text.size();
  }
  split_level(matcher, level + 1, text.substr(done), word);
}

}  // namespace rung
