#pragma once
// Builds the tree from tokens by recursive descent, with Jinja2's operator precedences.

#include <algorithm>
#include <initializer_list>
#include <string_view>

#include "text/chat/jinja/ast.hpp"
#include "text/chat/jinja/lexer.hpp"

namespace rung::jinja {

class Parser {
 public:
  explicit Parser(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}
  /// Throws Error with a message that contains the line.
  Body parse();

 private:
  // Statements (parser.cpp).
  Body body(std::initializer_list<std::string_view> ends);
  std::unique_ptr<Statement> statement();
  void parse_for(Statement& s);
  void parse_if(Statement& s);
  void parse_set(Statement& s);
  void parse_macro(Statement& s);
  void parse_call_block(Statement& s);
  void parse_with(Statement& s);
  void signature(Macro& macro);
  void macro_body(Macro& macro, std::string_view end);
  Target target(bool attributes);
  Target one_target(bool attributes);

  // Expressions (expressions.cpp), from the lowest precedence to the highest.
  ExpressionPtr tuple(bool conditions, bool in_parentheses);
  ExpressionPtr expression(bool conditions = true);
  ExpressionPtr condition();
  ExpressionPtr logical_or();
  ExpressionPtr logical_and();
  ExpressionPtr logical_not();
  ExpressionPtr compare();
  ExpressionPtr sum();
  ExpressionPtr concat();
  ExpressionPtr product();
  ExpressionPtr power();
  ExpressionPtr unary(bool with_filter);
  ExpressionPtr primary();
  ExpressionPtr postfix(ExpressionPtr node);
  ExpressionPtr filters_and_tests(ExpressionPtr node);
  ExpressionPtr filter_chain(ExpressionPtr node);
  ExpressionPtr one_filter(ExpressionPtr node);
  ExpressionPtr test(ExpressionPtr node);
  ExpressionPtr subscript(ExpressionPtr node);
  ExpressionPtr subscribed();
  ExpressionPtr call(ExpressionPtr node);
  ExpressionPtr list_or_dict();
  ExpressionPtr number(const Token& token);
  void call_arguments(Expression& call);
  bool at_tuple_end(bool recursive_ends) const;

  // Both add their arguments to a new node or to `parent`, and check the depth of the tree.
  ExpressionPtr node(ExpressionKind kind, int line, std::string text = {});
  void adopt(Expression& parent, ExpressionPtr child);

  // Tokens.
  const Token& peek(std::size_t ahead = 0) const {
    return tokens_[std::min(at_ + ahead, tokens_.size() - 1)];
  }
  const Token& take();
  bool is_op(std::string_view op, std::size_t ahead = 0) const;
  bool is_name(std::string_view name, std::size_t ahead = 0) const;
  bool skip_op(std::string_view op);
  bool skip_name(std::string_view name);
  void expect_op(std::string_view op);
  void expect_name(std::string_view name);
  std::string identifier(const char* what);
  void expect_end_of_block();
  [[noreturn]] void unexpected(std::string_view wanted) const;

  /// Limits the recursion of the parser.
  struct Level {
    explicit Level(Parser& parser);
    ~Level() { --parser_.level_; }
    Level(const Level&) = delete;
    Level& operator=(const Level&) = delete;
    Parser& parser_;
  };

  std::vector<Token> tokens_;
  std::size_t at_ = 0;
  int level_ = 0;
  int loops_ = 0;  // number of enclosing loops, which `break` and `continue` require
  bool in_for_head_ = false;
};

}  // namespace rung::jinja
