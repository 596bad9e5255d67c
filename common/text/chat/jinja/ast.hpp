#pragma once
// A parsed template. Two kinds of nodes, each a plain struct with a tag.

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "text/chat/jinja/value.hpp"

namespace rung::jinja {

struct Expression;
struct Statement;
using ExpressionPtr = std::unique_ptr<Expression>;
using Body = std::vector<std::unique_ptr<Statement>>;

enum class ExpressionKind : std::uint8_t {
  constant,     // value
  name,         // text
  list,         // children
  tuple,        // children
  dict,         // children: key, value, key, value, ...
  negative,     // child
  positive,     // child
  logical_not,  // child
  logical_and,  // left, right
  logical_or,   // left, right
  binary,       // text is the operator; left, right
  concat,       // children
  compare,      // children; operators[i] stands between i and i + 1
  condition,    // then, test, else (null: undefined)
  attribute,    // child.text
  subscript,    // child[child]
  slice,        // begin, end, step; each may be null. Only inside of a subscript.
  call,         // callee, then arguments
  filter,       // child | text(arguments); the child is null at the start of a block's filter
  test,         // child is text(arguments)
};

struct Expression {
  ExpressionKind kind = ExpressionKind::constant;
  int line = 1;
  int depth = 1;  // of the tree: bounds the recursion of whoever walks it
  std::string text;
  Value value;
  std::vector<ExpressionPtr> children;
  std::vector<std::string> operators;
  // Of call, filter and test; the first child is what is called or filtered.
  std::vector<std::pair<std::string, ExpressionPtr>> named;
  ExpressionPtr more_positional, more_named;  // *list, **dict
};

/// What is assigned to: a name, a namespace's attribute, or several of these.
struct Target {
  std::string name;
  std::string attribute;      // not empty: name.attribute
  std::vector<Target> parts;  // not empty or `tuple`: unpacked
  bool tuple = false;
  int line = 1;
};

struct Macro {
  std::string name;
  std::vector<std::string> parameters;
  std::vector<ExpressionPtr> defaults;  // of the last parameters
  Body body;
  bool takes_caller = false, takes_positional = false,
       takes_named = false;  // it names caller, varargs, kwargs
};

enum class StatementKind : std::uint8_t {
  data,          // text
  output,        // expression
  loop,          // for target in expression if test: body, otherwise
  condition,     // if expression: body, otherwise
  set,           // target = expression
  set_block,     // target = body, through the filters of `expression` if any
  filter_block,  // body through the filters of `expression`
  macro,
  call_block,  // expression is a call; `macro` its body
  with,        // targets = expressions: body
  scope,       // body with names of its own
  stop,        // break
  next,        // continue
};

struct Statement {
  StatementKind kind = StatementKind::data;
  int line = 1;
  std::string text;
  ExpressionPtr expression, test;
  Target target;
  Body body, otherwise;
  bool recursive = false;
  std::unique_ptr<Macro> macro;
  std::vector<std::pair<Target, ExpressionPtr>> assignments;
};

}  // namespace rung::jinja
