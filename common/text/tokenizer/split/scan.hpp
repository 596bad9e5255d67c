#pragma once
// Hand-written scanners for two families of pre-tokenizer patterns: GPT-2's, and Llama 3's with its variants.
// These patterns split most of the text that models see, and the scanners are several times faster than a
// regular expression engine. scan_test.cpp compares the scanners with the patterns.

#include <optional>
#include <string_view>
#include <vector>

#include "text/tokenizer/split/regex.hpp"

namespace rung {

/// GPT-2's pattern (Radford et al. 2019, encoder.py), of which most others are variants.
inline constexpr std::string_view kGpt2Pattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
/// Llama 3's pattern, which splits the digits of a number into groups of up to three.
inline constexpr std::string_view kLlama3Pattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
/// Qwen 2's pattern: the same, except that each digit is a separate word.
inline constexpr std::string_view kQwen2Pattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

/// Appends the words into which the pattern splits text[span]. Together, the words cover the span.
/// REQUIRES: valid UTF-8.
using Scanner = void (*)(std::string_view text, Span span, std::vector<Span>& words);

/// Returns the scanner for `pattern`, or null if there is none.
Scanner find_scanner(std::string_view pattern);

}  // namespace rung
