// The parser's part for expressions.

#include <algorithm>
#include <array>
#include <charconv>

#include "core/error.hpp"
#include "text/chat/jinja/numbers.hpp"
#include "text/chat/jinja/parser.hpp"

namespace rung::jinja {
namespace {

// Maximum depth of the tree of one expression. The parser builds long sums without recursion, but evaluating
// them recurses once per level.
constexpr int kMaxDepth = 300;
constexpr std::array<std::string_view, 6> kComparisons = {"==", "!=", "<", "<=", ">", ">="};

bool one_of(const Token& token, std::initializer_list<std::string_view> ops) {
  return token.kind == TokenKind::op && std::find(ops.begin(), ops.end(), token.text) != ops.end();
}

}  // namespace

ExpressionPtr Parser::node(ExpressionKind kind, int line, std::string text) {
  auto e = std::make_unique<Expression>();
  e->kind = kind;
  e->line = line;
  e->text = std::move(text);
  return e;
}

void Parser::adopt(Expression& parent, ExpressionPtr child) {
  if (child) {
    parent.depth = std::max(parent.depth, child->depth + 1);
    if (parent.depth > kMaxDepth)
      fail("line {}: an expression has more than {} levels", parent.line, kMaxDepth);
  }
  parent.children.push_back(std::move(child));
}

bool Parser::at_tuple_end(bool recursive_ends) const {
  return peek().kind == TokenKind::variable_end || peek().kind == TokenKind::block_end || is_op(")") ||
         (recursive_ends && is_name("recursive"));
}

ExpressionPtr Parser::tuple(bool conditions, bool in_parentheses) {
  const bool recursive_ends = std::exchange(in_for_head_, false);
  const int line = peek().line;
  std::vector<ExpressionPtr> parts;
  bool is_tuple = false;
  for (;;) {
    if (!parts.empty()) expect_op(",");
    if (at_tuple_end(recursive_ends)) break;
    parts.push_back(expression(conditions));
    if (!is_op(",")) break;
    is_tuple = true;
  }
  if (!is_tuple && !parts.empty()) return std::move(parts.front());
  if (!is_tuple && !in_parentheses) unexpected("an expression");
  auto e = node(ExpressionKind::tuple, line);
  for (auto& part : parts) adopt(*e, std::move(part));
  return e;
}

ExpressionPtr Parser::expression(bool conditions) { return conditions ? condition() : logical_or(); }

ExpressionPtr Parser::condition() {
  const Level level(*this);
  ExpressionPtr value = logical_or();
  while (is_name("if")) {
    auto e = node(ExpressionKind::condition, take().line);
    adopt(*e, std::move(value));
    adopt(*e, logical_or());
    adopt(*e, skip_name("else") ? condition() : nullptr);
    value = std::move(e);
  }
  return value;
}

ExpressionPtr Parser::logical_or() {
  ExpressionPtr left = logical_and();
  while (is_name("or")) {
    auto e = node(ExpressionKind::logical_or, take().line);
    adopt(*e, std::move(left));
    adopt(*e, logical_and());
    left = std::move(e);
  }
  return left;
}

ExpressionPtr Parser::logical_and() {
  ExpressionPtr left = logical_not();
  while (is_name("and")) {
    auto e = node(ExpressionKind::logical_and, take().line);
    adopt(*e, std::move(left));
    adopt(*e, logical_not());
    left = std::move(e);
  }
  return left;
}

ExpressionPtr Parser::logical_not() {
  if (!is_name("not")) return compare();
  const Level level(*this);
  auto e = node(ExpressionKind::logical_not, take().line);
  adopt(*e, logical_not());
  return e;
}

ExpressionPtr Parser::compare() {
  ExpressionPtr first = sum();
  ExpressionPtr all;
  for (;;) {
    std::string op;
    if (peek().kind == TokenKind::op &&
        std::find(kComparisons.begin(), kComparisons.end(), peek().text) != kComparisons.end()) {
      op = peek().text;
    } else if (is_name("in")) {
      op = "in";
    } else if (is_name("not") && is_name("in", 1)) {
      take();
      op = "not in";
    } else {
      return all ? std::move(all) : std::move(first);
    }
    const int line = take().line;
    if (!all) {
      all = node(ExpressionKind::compare, line);
      adopt(*all, std::move(first));
    }
    all->operators.push_back(std::move(op));
    adopt(*all, sum());
  }
}

ExpressionPtr Parser::sum() {
  ExpressionPtr left = concat();
  while (one_of(peek(), {"+", "-"})) {
    const Token& op = take();
    auto e = node(ExpressionKind::binary, op.line, op.text);
    adopt(*e, std::move(left));
    adopt(*e, concat());
    left = std::move(e);
  }
  return left;
}

ExpressionPtr Parser::concat() {
  ExpressionPtr first = product();
  if (!is_op("~")) return first;
  auto e = node(ExpressionKind::concat, peek().line);
  adopt(*e, std::move(first));
  while (skip_op("~")) adopt(*e, product());
  return e;
}

ExpressionPtr Parser::product() {
  ExpressionPtr left = power();
  while (one_of(peek(), {"*", "/", "//", "%"})) {
    const Token& op = take();
    auto e = node(ExpressionKind::binary, op.line, op.text);
    adopt(*e, std::move(left));
    adopt(*e, power());
    left = std::move(e);
  }
  return left;
}

ExpressionPtr Parser::power() {
  ExpressionPtr left = unary(true);
  while (is_op("**")) {
    const Token& op = take();
    auto e = node(ExpressionKind::binary, op.line, op.text);
    adopt(*e, std::move(left));
    adopt(*e, unary(true));
    left = std::move(e);
  }
  return left;
}

ExpressionPtr Parser::unary(bool with_filter) {
  const Level level(*this);
  ExpressionPtr e;
  if (one_of(peek(), {"-", "+"})) {
    const Token& op = take();
    e = node(op.text == "-" ? ExpressionKind::negative : ExpressionKind::positive, op.line);
    adopt(*e, unary(false));
  } else {
    e = primary();
  }
  e = postfix(std::move(e));
  return with_filter ? filters_and_tests(std::move(e)) : std::move(e);
}

ExpressionPtr Parser::number(const Token& token) {
  auto e = node(ExpressionKind::constant, token.line);
  const char* const end = token.text.data() + token.text.size();
  if (token.kind == TokenKind::real) {
    e->value = Value::real(nearest_real(token.text));
    return e;
  }
  std::int64_t value = 0;
  const char second = token.text.size() > 1 ? static_cast<char>(token.text[1] | 32) : '\0';
  const int base = second == 'x' ? 16 : (second == 'o' ? 8 : (second == 'b' ? 2 : 10));
  const auto done = std::from_chars(token.text.data() + (base == 10 ? 0 : 2), end, value, base);
  if (done.ec != std::errc() || done.ptr != end)
    fail("line {}: the number {} is larger than {}", token.line, token.text, INT64_MAX);
  e->value = Value::integer(value);
  return e;
}

ExpressionPtr Parser::primary() {
  const int line = peek().line;
  auto constant = [&](Value value) {
    auto e = node(ExpressionKind::constant, line);
    e->value = std::move(value);
    return e;
  };
  switch (peek().kind) {
    case TokenKind::name: {
      std::string name = take().text;
      if (name == "true" || name == "True") return constant(Value::boolean(true));
      if (name == "false" || name == "False") return constant(Value::boolean(false));
      if (name == "none" || name == "None") return constant(Value::none());
      return node(ExpressionKind::name, line, std::move(name));
    }
    case TokenKind::string: {
      std::string text = take().text;
      while (peek().kind == TokenKind::string) text += take().text;
      return constant(Value::string(std::move(text)));
    }
    case TokenKind::integer:
    case TokenKind::real:
      return number(take());
    default:
      break;
  }
  if (is_op("[") || is_op("{")) return list_or_dict();
  if (!skip_op("(")) unexpected("an expression");
  ExpressionPtr e = tuple(true, true);
  expect_op(")");
  return e;
}

ExpressionPtr Parser::list_or_dict() {
  const bool is_list = is_op("[");
  const std::string_view end = is_list ? "]" : "}";
  auto e = node(is_list ? ExpressionKind::list : ExpressionKind::dict, take().line);
  while (!is_op(end)) {
    if (!e->children.empty()) expect_op(",");
    if (is_op(end)) break;
    adopt(*e, expression());
    if (is_list) continue;
    expect_op(":");
    adopt(*e, expression());
  }
  take();
  return e;
}

ExpressionPtr Parser::postfix(ExpressionPtr e) {
  for (;;) {
    if (is_op(".") || is_op("[")) {
      e = subscript(std::move(e));
    } else if (is_op("(")) {
      e = call(std::move(e));
    } else {
      return e;
    }
  }
}

ExpressionPtr Parser::filters_and_tests(ExpressionPtr e) {
  for (;;) {
    if (is_op("|")) {
      e = filter_chain(std::move(e));
    } else if (is_name("is")) {
      e = test(std::move(e));
    } else if (is_op("(")) {
      e = call(std::move(e));
    } else {
      return e;
    }
  }
}

/// Parses filters, each after a "|". Returns null if there is no filter and `e` is null.
ExpressionPtr Parser::filter_chain(ExpressionPtr e) {
  while (skip_op("|")) e = one_filter(std::move(e));
  return e;
}

ExpressionPtr Parser::one_filter(ExpressionPtr input) {
  auto e = node(ExpressionKind::filter, peek().line);
  e->text = identifier("the name of a filter");
  adopt(*e, std::move(input));
  if (is_op("(")) call_arguments(*e);
  return e;
}

ExpressionPtr Parser::test(ExpressionPtr input) {
  const int line = take().line;
  const bool negated = skip_name("not");
  auto e = node(ExpressionKind::test, line);
  e->text = identifier("the name of a test");
  adopt(*e, std::move(input));
  if (is_op("(")) {
    call_arguments(*e);
  } else {
    const TokenKind kind = peek().kind;
    const bool operand = kind == TokenKind::name || kind == TokenKind::string || kind == TokenKind::integer ||
                         kind == TokenKind::real || is_op("[") || is_op("{");
    if (operand && !is_name("else") && !is_name("or") && !is_name("and")) {
      if (is_name("is")) fail("line {}: tests with 'is' cannot follow one another", line);
      const Level level(*this);
      adopt(*e, postfix(primary()));
    }
  }
  if (!negated) return e;
  auto opposite = node(ExpressionKind::logical_not, line);
  adopt(*opposite, std::move(e));
  return opposite;
}

ExpressionPtr Parser::subscript(ExpressionPtr object) {
  const Token& op = take();
  if (op.text == "." && peek().kind == TokenKind::name) {
    auto e = node(ExpressionKind::attribute, op.line, take().text);
    adopt(*e, std::move(object));
    return e;
  }
  auto e = node(ExpressionKind::subscript, op.line);
  adopt(*e, std::move(object));
  if (op.text == ".") {
    if (peek().kind != TokenKind::integer) unexpected("a name or a number");
    adopt(*e, number(take()));
    return e;
  }
  std::vector<ExpressionPtr> keys;
  while (!is_op("]")) {
    if (!keys.empty()) expect_op(",");
    keys.push_back(subscribed());
  }
  take();
  if (keys.size() == 1) {
    adopt(*e, std::move(keys.front()));
    return e;
  }
  auto together = node(ExpressionKind::tuple, op.line);
  for (auto& key : keys) {
    if (key->kind == ExpressionKind::slice)
      fail("line {}: slices in more than one dimension are not supported", op.line);
    adopt(*together, std::move(key));
  }
  adopt(*e, std::move(together));
  return e;
}

/// Parses the contents of [ ]: an expression or begin:end:step.
ExpressionPtr Parser::subscribed() {
  const int line = peek().line;
  ExpressionPtr begin;
  if (!is_op(":")) {
    begin = expression();
    if (!is_op(":")) return begin;
  }
  auto e = node(ExpressionKind::slice, line);
  adopt(*e, std::move(begin));
  expect_op(":");
  const auto bound = [&] { return is_op(":") || is_op("]") || is_op(",") ? nullptr : expression(); };
  adopt(*e, bound());
  adopt(*e, skip_op(":") ? bound() : nullptr);
  return e;
}

ExpressionPtr Parser::call(ExpressionPtr callee) {
  auto e = node(ExpressionKind::call, peek().line);
  adopt(*e, std::move(callee));
  call_arguments(*e);
  return e;
}

/// Appends the arguments to a node that already has its first child, in the order positional, named, *list,
/// **dict.
void Parser::call_arguments(Expression& call) {
  const Level level(*this);
  expect_op("(");
  const auto deepen = [&](const Expression& argument) {
    call.depth = std::max(call.depth, argument.depth + 1);
  };
  bool first = true;
  while (!is_op(")")) {
    if (!first) {
      expect_op(",");
      if (is_op(")")) break;
    }
    first = false;
    const int line = peek().line;
    if (skip_op("*")) {
      if (call.more_positional || call.more_named) fail("line {}: '*' stands twice or behind '**'", line);
      call.more_positional = expression();
      deepen(*call.more_positional);
    } else if (skip_op("**")) {
      if (call.more_named) fail("line {}: '**' stands twice", line);
      call.more_named = expression();
      deepen(*call.more_named);
    } else if (peek().kind == TokenKind::name && is_op("=", 1)) {
      if (call.more_named) fail("line {}: a named argument stands behind '**'", line);
      std::string name = take().text;
      take();
      call.named.emplace_back(std::move(name), expression());
      deepen(*call.named.back().second);
    } else {
      if (call.more_positional || call.more_named || !call.named.empty())
        fail("line {}: an argument without a name stands behind one with a name", line);
      adopt(call, expression());
    }
  }
  take();
}

}  // namespace rung::jinja
