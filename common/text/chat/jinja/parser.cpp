// The parser's part for statements, which are the contents of {% and %}.

#include "text/chat/jinja/parser.hpp"

#include <algorithm>

#include "core/error.hpp"

namespace rung::jinja {
namespace {

// Deep enough for any real template, and small enough for the stack of a thread under a sanitizer.
constexpr int kMaxLevel = 100;

std::string describe(const Token& token) {
  switch (token.kind) {
    case TokenKind::data:
      return "text";
    case TokenKind::variable_begin:
      return "'{{'";
    case TokenKind::variable_end:
      return "'}}'";
    case TokenKind::block_begin:
      return "'{%'";
    case TokenKind::block_end:
      return "'%}'";
    case TokenKind::string:
      return "a string";
    case TokenKind::end:
      return "the end of the template";
    default:
      return "'" + token.text + "'";
  }
}

}  // namespace

Parser::Level::Level(Parser& parser) : parser_(parser) {
  if (++parser.level_ > kMaxLevel)
    fail("line {}: expressions or blocks are nested more than {} levels deep", parser.peek().line, kMaxLevel);
}

const Token& Parser::take() { return at_ + 1 < tokens_.size() ? tokens_[at_++] : tokens_.back(); }

bool Parser::is_op(std::string_view op, std::size_t ahead) const {
  return peek(ahead).kind == TokenKind::op && peek(ahead).text == op;
}
bool Parser::is_name(std::string_view name, std::size_t ahead) const {
  return peek(ahead).kind == TokenKind::name && peek(ahead).text == name;
}
bool Parser::skip_op(std::string_view op) {
  if (!is_op(op)) return false;
  take();
  return true;
}
bool Parser::skip_name(std::string_view name) {
  if (!is_name(name)) return false;
  take();
  return true;
}
void Parser::expect_op(std::string_view op) {
  if (!skip_op(op)) unexpected(fmt::format("'{}'", op));
}
void Parser::expect_name(std::string_view name) {
  if (!skip_name(name)) unexpected(fmt::format("'{}'", name));
}
std::string Parser::identifier(const char* what) {
  if (peek().kind != TokenKind::name) unexpected(what);
  return take().text;
}
void Parser::expect_end_of_block() {
  if (peek().kind != TokenKind::block_end) unexpected("'%}'");
  take();
}
void Parser::unexpected(std::string_view wanted) const {
  fail("line {}: {} stands where {} is expected", peek().line, describe(peek()), wanted);
}

Body Parser::parse() { return body({}); }

/// Parses statements up to a tag that `ends` names. The tag's opening is consumed, but its name is not. If
/// `ends` is empty, the body extends to the end of the template.
Body Parser::body(std::initializer_list<std::string_view> ends) {
  const Level level(*this);
  Body statements;
  const int line = peek().line;
  for (;;) {
    auto s = std::make_unique<Statement>();
    s->line = peek().line;
    switch (peek().kind) {
      case TokenKind::data:
        s->kind = StatementKind::data;
        s->text = take().text;
        break;
      case TokenKind::variable_begin:
        take();
        s->kind = StatementKind::output;
        s->expression = tuple(true, false);
        if (peek().kind != TokenKind::variable_end) unexpected("'}}'");
        take();
        break;
      case TokenKind::block_begin:
        take();
        for (const std::string_view end : ends) {
          if (is_name(end)) return statements;
        }
        s = statement();
        expect_end_of_block();
        break;
      default:
        if (ends.size() == 0) return statements;
        fail("line {}: the block that begins here has no '{}'", line, *(ends.end() - 1));
    }
    statements.push_back(std::move(s));
  }
}

std::unique_ptr<Statement> Parser::statement() {
  auto s = std::make_unique<Statement>();
  s->line = peek().line;
  const std::string tag = identifier("the name of a tag");
  if (tag == "for") {
    parse_for(*s);
  } else if (tag == "if") {
    parse_if(*s);
  } else if (tag == "set") {
    parse_set(*s);
  } else if (tag == "macro") {
    parse_macro(*s);
  } else if (tag == "call") {
    parse_call_block(*s);
  } else if (tag == "with") {
    parse_with(*s);
  } else if (tag == "filter") {
    s->kind = StatementKind::filter_block;
    s->expression = filter_chain(one_filter(nullptr));
    expect_end_of_block();
    s->body = body({"endfilter"});
    take();
  } else if (tag ==
             "generation") {  // transformers marks the assistant's text with it; the output is the same
    s->kind = StatementKind::scope;
    expect_end_of_block();
    s->body = body({"endgeneration"});
    take();
  } else if (tag == "break" || tag == "continue") {
    if (loops_ == 0) fail("line {}: '{}' stands outside of a loop", s->line, tag);
    s->kind = tag == "break" ? StatementKind::stop : StatementKind::next;
  } else {
    fail(
        "line {}: the tag '{}' is not supported; for, if, set, macro, call, filter, with, break, continue, "
        "raw and "
        "generation are",
        s->line, tag);
  }
  return s;
}

void Parser::parse_for(Statement& s) {
  s.kind = StatementKind::loop;
  s.target = target(false);
  expect_name("in");
  in_for_head_ = true;
  s.expression = tuple(false, false);
  in_for_head_ = false;
  if (skip_name("if")) s.test = expression();
  s.recursive = skip_name("recursive");
  skip_op(":");
  expect_end_of_block();
  ++loops_;
  s.body = body({"else", "endfor"});
  --loops_;
  if (take().text == "endfor") return;
  skip_op(":");
  expect_end_of_block();
  s.otherwise = body({"endfor"});
  take();
}

void Parser::parse_if(Statement& s) {
  const Level level(*this);  // an elif is an if inside the else branch
  s.kind = StatementKind::condition;
  s.expression = tuple(false, false);
  skip_op(":");
  expect_end_of_block();
  s.body = body({"elif", "else", "endif"});
  const std::string end = take().text;
  if (end == "elif") {
    auto inner = std::make_unique<Statement>();
    inner->line = peek().line;
    parse_if(*inner);
    s.otherwise.push_back(std::move(inner));
  } else if (end == "else") {
    skip_op(":");
    expect_end_of_block();
    s.otherwise = body({"endif"});
    take();
  }
}

void Parser::parse_set(Statement& s) {
  s.target = target(true);
  if (skip_op("=")) {
    s.kind = StatementKind::set;
    s.expression = tuple(true, false);
    return;
  }
  s.kind = StatementKind::set_block;
  s.expression = filter_chain(nullptr);
  expect_end_of_block();
  s.body = body({"endset"});
  take();
}

Target Parser::one_target(bool attributes) {
  const Level level(*this);
  if (!skip_op("(")) {
    Target t;
    t.line = peek().line;
    t.name = identifier("a name to assign to");
    for (const char* reserved : {"true", "false", "none", "True", "False", "None"}) {
      if (t.name == reserved) fail("line {}: '{}' cannot be assigned to", t.line, t.name);
    }
    if (attributes && skip_op(".")) t.attribute = identifier("the name of an attribute");
    return t;
  }
  Target t = target(attributes);
  expect_op(")");
  return t;
}

Target Parser::target(bool attributes) {
  Target first = one_target(attributes);
  if (!is_op(",")) return first;
  Target all;
  all.line = first.line;
  all.tuple = true;
  all.parts.push_back(std::move(first));
  while (skip_op(",")) {
    if (is_name("in") || is_op("=") || is_op(")")) break;
    all.parts.push_back(one_target(attributes));
  }
  return all;
}

void Parser::signature(Macro& macro) {
  expect_op("(");
  while (!is_op(")")) {
    if (!macro.parameters.empty()) expect_op(",");
    macro.parameters.push_back(identifier("the name of a parameter"));
    if (skip_op("=")) {
      macro.defaults.push_back(expression());
    } else if (!macro.defaults.empty()) {
      fail("line {}: the parameter '{}' has no default, but one before it has", peek().line,
           macro.parameters.back());
    }
  }
  take();
}

void Parser::macro_body(Macro& macro, std::string_view end) {
  expect_end_of_block();
  const int loops = std::exchange(loops_, 0);
  const std::size_t from = at_;
  macro.body = body({end});
  // A macro accepts a caller, extra positional arguments or extra named arguments if its body uses their
  // names.
  for (std::size_t i = from; i < at_; ++i) {
    if (tokens_[i].kind != TokenKind::name) continue;
    macro.takes_caller |= tokens_[i].text == "caller";
    macro.takes_positional |= tokens_[i].text == "varargs";
    macro.takes_named |= tokens_[i].text == "kwargs";
  }
  loops_ = loops;
  take();
}

void Parser::parse_macro(Statement& s) {
  s.kind = StatementKind::macro;
  s.macro = std::make_unique<Macro>();
  s.macro->name = identifier("the name of a macro");
  signature(*s.macro);
  macro_body(*s.macro, "endmacro");
}

void Parser::parse_call_block(Statement& s) {
  s.kind = StatementKind::call_block;
  s.macro = std::make_unique<Macro>();
  s.macro->name = "caller";
  if (is_op("(")) signature(*s.macro);
  s.expression = expression();
  if (s.expression->kind != ExpressionKind::call)
    fail("line {}: 'call' needs a call such as 'call f()'", s.line);
  macro_body(*s.macro, "endcall");
}

void Parser::parse_with(Statement& s) {
  s.kind = StatementKind::with;
  while (peek().kind != TokenKind::block_end) {
    if (!s.assignments.empty()) expect_op(",");
    Target t = target(false);
    expect_op("=");
    s.assignments.emplace_back(std::move(t), expression());
  }
  expect_end_of_block();
  s.body = body({"endwith"});
  take();
}

}  // namespace rung::jinja
