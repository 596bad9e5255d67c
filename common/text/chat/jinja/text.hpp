#pragma once
// Strings as Python sees them: sequences of code points, kept as UTF-8. REQUIRES everywhere: valid UTF-8.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rung::jinja {

/// Whether every byte belongs to a valid character (no surrogates, nothing overlong).
bool valid_utf8(std::string_view text);
void append_utf8(std::string& out, std::uint32_t code);
/// The code point that starts at `at`, and `at` moved behind it.
std::uint32_t next_code(std::string_view text, std::size_t& at);

std::size_t length_in_codes(std::string_view text);
/// Byte offsets of all code points, and of the end.
std::vector<std::size_t> code_offsets(std::string_view text);

/// str.strip() and its kin: without `chars` white space goes, else every character of `chars`.
std::string_view strip(std::string_view text, bool left, bool right, const std::string* chars = nullptr);

/// str.splitlines(keepends)
std::vector<std::string_view> split_lines(std::string_view text, bool keep_ends = false);
/// str.split() and str.rsplit(), between runs of white space or at a separator, at most `most` times
/// (negative: everywhere). Throws Error for an empty separator.
std::vector<std::string_view> split_space(std::string_view text, std::int64_t most);
std::vector<std::string_view> rsplit_space(std::string_view text, std::int64_t most);
std::vector<std::string_view> split_at(std::string_view text, std::string_view separator, std::int64_t most);
std::vector<std::string_view> rsplit_at(std::string_view text, std::string_view separator, std::int64_t most);
/// repr() of a string (with `ascii`: ascii()) and of a float.
std::string repr(std::string_view text, bool ascii = false);
std::string repr(double value);
/// Every `old` becomes `now`, at most `count` times (negative: all); an empty `old` stands between all
/// characters.
std::string replace(std::string_view text, std::string_view old, std::string_view now, std::int64_t count);

}  // namespace rung::jinja
