// The operators + - * / // % ** for numbers, strings and lists, as Python defines them.

#include <cmath>

#include "core/error.hpp"
#include "text/chat/jinja/run.hpp"

namespace rung::jinja {
namespace {

[[noreturn]] void too_large(const std::string& op) { fail("the result of '{}' does not fit 64 bits", op); }

std::int64_t floor_divide(std::int64_t a, std::int64_t b) {
  const std::int64_t quotient = a / b;
  return quotient - ((a % b != 0 && (a < 0) != (b < 0)) ? 1 : 0);
}

// The result has the sign of b, as in Python. REQUIRES: b != 0, and not (a is INT64_MIN and b is -1).
std::int64_t modulo(std::int64_t a, std::int64_t b) {
  const std::int64_t r = a % b;
  return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}

double modulo(double a, double b) {
  const double r = std::fmod(a, b);
  return r != 0 && (r < 0) != (b < 0) ? r + b : (r == 0 ? std::copysign(0.0, b) : r);
}

// As in Python, the quotient is computed from the remainder, because a / b may be rounded up to the next
// integer.
double floor_divide(double a, double b) {
  const double remainder = std::fmod(a, b);
  double quotient = (a - remainder) / b;
  if (remainder != 0 && (b < 0) != (remainder < 0)) quotient -= 1;
  if (quotient == 0) return std::copysign(0.0, a / b);
  const double floored = std::floor(quotient);
  return quotient - floored > 0.5 ? floored + 1 : floored;
}

Value whole_power(std::int64_t base, std::int64_t exponent) {
  if (exponent < 0) {
    if (base == 0) fail("0 cannot be raised to a negative power");
    return Value::real(std::pow(static_cast<double>(base), static_cast<double>(exponent)));
  }
  std::int64_t result = 1;
  if (base == 1 || base == 0 || base == -1)
    return Value::integer(exponent == 0 ? 1 : (base == -1 && exponent % 2 == 0 ? 1 : base));
  for (std::int64_t i = 0; i < exponent; ++i) {
    if (__builtin_mul_overflow(result, base, &result)) too_large("**");
  }
  return Value::integer(result);
}

Value whole_arithmetic(const std::string& op, std::int64_t a, std::int64_t b) {
  std::int64_t result = 0;
  bool overflow = false;
  if (op == "+") overflow = __builtin_add_overflow(a, b, &result);
  if (op == "-") overflow = __builtin_sub_overflow(a, b, &result);
  if (op == "*") overflow = __builtin_mul_overflow(a, b, &result);
  if (op == "/" || op == "//" || op == "%") {
    if (b == 0) fail("division by zero");
    if (op == "/") return Value::real(static_cast<double>(a) / static_cast<double>(b));
    overflow = a == INT64_MIN && b == -1;
    if (!overflow) result = op == "//" ? floor_divide(a, b) : modulo(a, b);
  }
  if (op == "**") return whole_power(a, b);
  if (overflow) too_large(op);
  return Value::integer(result);
}

Value real_arithmetic(const std::string& op, double a, double b) {
  if (op == "+") return Value::real(a + b);
  if (op == "-") return Value::real(a - b);
  if (op == "*") return Value::real(a * b);
  if (op == "**") {
    if (a == 0 && b < 0) fail("0 cannot be raised to a negative power");
    if (a < 0 && b != std::floor(b)) fail("a negative number cannot be raised to the power {}", b);
    const double result = std::pow(a, b);
    if (std::isinf(result) && !std::isinf(a) && !std::isinf(b)) fail("the result of '**' is too large");
    return Value::real(result);
  }
  if (b == 0) fail("division by zero");
  if (op == "/") return Value::real(a / b);
  if (op == "//") return Value::real(floor_divide(a, b));
  return Value::real(modulo(a, b));
}

Value repeat(Run& run, const Value& value, std::int64_t times) {
  const auto n = static_cast<std::size_t>(std::max<std::int64_t>(times, 0));
  const std::size_t each =
      value.is_string() ? value.text().size() : value.items().values.size() * sizeof(Value);
  if (each != 0 && n > (std::size_t{1} << 40) / each) fail("the result of '*' is too large");
  run.charge(each * n);
  if (value.is_string()) {
    std::string out;
    if (each != 0) {
      out.reserve(each * n);
      for (std::size_t i = 0; i < n; ++i) out += value.text();
    }
    return Value::string(std::move(out));
  }
  std::vector<Value> out;
  const auto& values = value.items().values;
  for (std::size_t i = 0; each != 0 && i < n; ++i) out.insert(out.end(), values.begin(), values.end());
  return Value::sequence(value.items().kind, std::move(out));
}

bool repeats(const Value& v) {
  return v.is_string() || v.is(SequenceKind::list) || v.is(SequenceKind::tuple);
}

}  // namespace

Value arithmetic(Run& run, const std::string& op, const Value& a, const Value& b) {
  if (a.is_undefined()) a.fail_undefined();
  if (op == "%" && a.is_string()) return Value::string(percent_format(run, a.text(), b));
  if (b.is_undefined()) b.fail_undefined();
  if (a.is_whole() && b.is_whole()) return whole_arithmetic(op, a.whole(), b.whole());
  if (a.is_number() && b.is_number()) return real_arithmetic(op, a.number(), b.number());
  if (op == "+" && a.is_string() && b.is_string()) {
    run.charge(a.text().size() + b.text().size());
    return Value::string(a.text() + b.text());
  }
  if (op == "+" && a.is_sequence() && b.is_sequence() && a.items().kind == b.items().kind && repeats(a)) {
    std::vector<Value> all = run.iterate(a);
    for (Value& value : run.iterate(b)) all.push_back(std::move(value));
    return Value::sequence(a.items().kind, std::move(all));
  }
  if (op == "*" && repeats(a) && b.is_whole()) return repeat(run, a, b.whole());
  if (op == "*" && repeats(b) && a.is_whole()) return repeat(run, b, a.whole());
  fail("'{}' cannot join values of type {} and {}", op, a.type_name(), b.type_name());
}

}  // namespace rung::jinja
