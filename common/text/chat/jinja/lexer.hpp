#pragma once
// Template text to tokens, as Jinja2's lexer with trim_blocks and lstrip_blocks and without
// keep_trailing_newline: the settings of transformers. White space around tags is settled here.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rung::jinja {

enum class TokenKind : std::uint8_t {
  data,            // text between tags
  variable_begin,  // {{
  variable_end,
  block_begin,  // {%
  block_end,
  name,
  string,   // its text with escapes resolved
  integer,  // digits as written
  real,
  op,  // + == ( ...
  end,
};

struct Token {
  TokenKind kind = TokenKind::end;
  std::string text;
  int line = 1;
};

/// Throws Error with a sentence that names the line. The last token is `end`.
std::vector<Token> tokenize(std::string_view source);

}  // namespace rung::jinja
