#pragma once
// Two families of pre-tokenizer patterns, written out by hand: GPT-2's, and Llama 3's with its relatives.
// They cut most of the text that models see, and here they run several times faster than a regular
// expression engine. scan_test.cpp holds them against the patterns themselves.

#include <optional>
#include <string_view>
#include <vector>

#include "text/tokenizer/split/regex.hpp"

namespace rung {

/// GPT-2's own pattern (Radford et al. 2019, encoder.py), which most others vary.
inline constexpr std::string_view kGpt2Pattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
/// Llama 3's; the digits of a number in groups of up to three.
inline constexpr std::string_view kLlama3Pattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
/// Qwen 2's: the same with every digit by itself.
inline constexpr std::string_view kQwen2Pattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

/// Appends the words of text[span] as the pattern cuts them; together they are the span.
/// REQUIRES: valid UTF-8.
using Scanner = void (*)(std::string_view text, Span span, std::vector<Span>& words);

/// The scanner that does what `pattern` says; null where none is written for it.
Scanner find_scanner(std::string_view pattern);

}  // namespace rung
