#pragma once
// Splits a template into tokens. It works like Jinja2's lexer with the settings of transformers: trim_blocks
// and lstrip_blocks are on, and keep_trailing_newline is off. The lexer already strips the white space around
// tags.

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
  string,   // the contents, with escapes resolved
  integer,  // the digits as written
  real,
  op,  // + == ( ...
  end,
};

struct Token {
  TokenKind kind = TokenKind::end;
  std::string text;
  int line = 1;
};

/// Throws Error with a message that contains the line. The last token is `end`.
std::vector<Token> tokenize(std::string_view source);

}  // namespace rung::jinja
