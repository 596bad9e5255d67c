#pragma once
// Strings as Python defines them: sequences of code points, stored as UTF-8. REQUIRES everywhere: valid
// UTF-8.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rung::jinja {

/// Whether the text is valid UTF-8, without surrogates and overlong encodings. This function alone accepts
/// invalid UTF-8.
bool valid_utf8(std::string_view text);
void append_utf8(std::string& out, std::uint32_t code);
/// Returns the code point that starts at `at`, and advances `at` to the next one.
std::uint32_t next_code(std::string_view text, std::size_t& at);

std::size_t length_in_codes(std::string_view text);
/// Returns the byte offsets of all code points and of the end.
std::vector<std::size_t> code_offsets(std::string_view text);

/// str.strip(), lstrip() and rstrip(). Strips white space, or the characters of `chars` if it is not null.
std::string_view strip(std::string_view text, bool left, bool right, const std::string* chars = nullptr);

/// str.splitlines(keepends)
std::vector<std::string_view> split_lines(std::string_view text, bool keep_ends = false);
/// str.split() and str.rsplit(). They split at runs of white space or at a separator, at most `most` times
/// (negative: no limit). Throw Error for an empty separator.
std::vector<std::string_view> split_space(std::string_view text, std::int64_t most);
std::vector<std::string_view> rsplit_space(std::string_view text, std::int64_t most);
std::vector<std::string_view> split_at(std::string_view text, std::string_view separator, std::int64_t most);
std::vector<std::string_view> rsplit_at(std::string_view text, std::string_view separator, std::int64_t most);
/// repr() of a string (ascii() if `ascii` is true) and of a float.
std::string repr(std::string_view text, bool ascii = false);
std::string repr(double value);
/// Replaces `old` by `now`, at most `count` times (negative: no limit). An empty `old` matches before every
/// character and at the end.
std::string replace(std::string_view text, std::string_view old, std::string_view now, std::int64_t count);

}  // namespace rung::jinja
