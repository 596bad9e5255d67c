#pragma once
// The syntax tree of a parsed template. It has two kinds of nodes, expressions and statements, each a plain
// struct with a tag.

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
  compare,      // children; operators[i] is the operator between children i and i + 1
  condition,    // then, test, else (null: undefined)
  attribute,    // child.text
  subscript,    // child[child]
  slice,        // begin, end, step; each can be null. Occurs only inside a subscript.
  call,         // callee, then arguments
  filter,       // child | text(arguments); the child is null for the first filter of a filter block
  test,         // child is text(arguments)
};

struct Expression {
  ExpressionKind kind = ExpressionKind::constant;
  int line = 1;
  int depth = 1;  // height of this subtree; it bounds the recursion of every walk over the tree
  std::string text;
  Value value;
  std::vector<ExpressionPtr> children;
  std::vector<std::string> operators;
  // Used by call, filter and test, whose first child is the callee or the input.
  std::vector<std::pair<std::string, ExpressionPtr>> named;
  ExpressionPtr more_positional, more_named;  // *list, **dict
};

/// The target of an assignment: a name, an attribute of a namespace, or a list of targets.
struct Target {
  std::string name;
  std::string attribute;      // if not empty, the target is name.attribute
  std::vector<Target> parts;  // if not empty, or if `tuple` is true, the value is unpacked into these
  bool tuple = false;
  int line = 1;
};

struct Macro {
  std::string name;
  std::vector<std::string> parameters;
  std::vector<ExpressionPtr> defaults;  // the default values of the last parameters
  Body body;
  bool takes_caller = false, takes_positional = false,
       takes_named = false;  // whether the body uses the names caller, varargs and kwargs
};

enum class StatementKind : std::uint8_t {
  data,          // text
  output,        // expression
  loop,          // for target in expression if test: body, otherwise
  condition,     // if expression: body, otherwise
  set,           // target = expression
  set_block,     // target = body, passed through the filters of `expression` if there are any
  filter_block,  // body, passed through the filters of `expression`
  macro,
  call_block,  // `expression` is a call; `macro` contains the body
  with,        // targets = expressions: body
  scope,       // a body that has its own names
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
