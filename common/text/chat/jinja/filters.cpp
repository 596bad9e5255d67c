// Filters of one value (numbers, defaults, lengths), and the lookup of all filters.

#include <cmath>
#include <optional>

#include "core/error.hpp"
#include "text/chat/jinja/numbers.hpp"
#include "text/chat/jinja/run.hpp"
#include "text/chat/jinja/text.hpp"

namespace rung::jinja {
namespace {

void no_arguments(const char* name, Arguments arguments) { const Bound none(name, std::move(arguments), {}); }

Value with_default(Run&, const Value& v, Arguments arguments) {
  const Bound a("default", std::move(arguments), {"default_value?", "boolean?"});
  if (!v.is_undefined() && (!a.truth(1, false) || v.truth())) return v;
  return a.has(0) ? a[0] : Value::string("");
}

Value length(Run&, const Value& v, Arguments arguments) {
  no_arguments("length", std::move(arguments));
  const auto count = [](std::size_t n) { return Value::integer(static_cast<std::int64_t>(n)); };
  if (v.is_undefined()) return count(0);
  if (v.is_string()) return count(length_in_codes(v.text()));
  if (v.is_dict()) return count(v.entries().pairs.size());
  if (v.is_sequence() && !v.is(SequenceKind::iterator)) return count(v.items().values.size());
  fail("a value of type {} has no length{}", v.type_name(),
       v.is_sequence() ? "; put '| list' before it" : "");
}

Value as_string(Run& run, const Value& v, Arguments arguments) {
  no_arguments("string", std::move(arguments));
  return v.is_string() ? v : Value::string(run.text(v));
}

std::optional<double> real_of(const Value& v) {
  if (v.is_number()) return v.number();
  return v.is_string() ? parse_real(v.text()) : std::nullopt;
}

Value as_whole(Run& run, const Value& v, Arguments arguments) {
  const Bound a("int", std::move(arguments), {"default?", "base?"});
  if (v.is_undefined()) v.fail_undefined();
  if (v.is_whole()) return Value::integer(v.whole());
  if (v.is_string()) {
    run.charge(v.text().size());
    const std::int64_t base = a.whole(1, 10);
    if (base != 0 && (base < 2 || base > 36))
      fail("int: the base is {}; it must be from 2 to 36, or 0 for the one that the number's prefix names",
           base);
    if (const auto whole = parse_whole(v.text(), static_cast<int>(base))) return Value::integer(*whole);
  }
  const auto real = real_of(v);
  if (!real || std::isnan(*real) || std::isinf(*real)) return a.has(0) ? a[0] : Value::integer(0);
  constexpr double kLimit = 9223372036854775808.0;  // 2 to the power of 63
  if (*real < -kLimit || *real >= kLimit) fail("int: {} does not fit 64 bits", *real);
  return Value::integer(static_cast<std::int64_t>(*real));
}

Value as_real(Run& run, const Value& v, Arguments arguments) {
  const Bound a("float", std::move(arguments), {"default?"});
  if (v.is_undefined()) v.fail_undefined();
  if (v.is_string()) run.charge(v.text().size());
  const auto real = real_of(v);
  return real ? Value::real(*real) : (a.has(0) ? a[0] : Value::real(0));
}

Value absolute(Run& run, const Value& v, Arguments arguments) {
  no_arguments("abs", std::move(arguments));
  if (v.is_undefined()) v.fail_undefined();
  if (!v.is_number()) fail("abs needs a number, not {}", v.type_name());
  if (v.is_real()) return Value::real(std::fabs(v.number()));
  return v.whole() < 0 ? arithmetic(run, "-", Value::integer(0), v) : Value::integer(v.whole());
}

Value rounded(Run&, const Value& v, Arguments arguments) {
  const Bound a("round", std::move(arguments), {"precision?", "method?"});
  const std::int64_t precision = a.whole(0, 0);
  const std::string method = a.has(1) ? a.text(1) : "common";
  if (v.is_undefined()) v.fail_undefined();
  if (!v.is_number()) fail("round needs a number, not {}", v.type_name());
  if (precision < 0 || precision > 300)
    fail("round: the precision is {}; it must be from 0 to 300", precision);
  if (method == "ceil" || method == "floor") {
    const double scale = std::pow(10.0, static_cast<double>(precision));
    const double scaled = v.number() * scale;
    return Value::real((method == "ceil" ? std::ceil(scaled) : std::floor(scaled)) / scale);
  }
  if (method != "common") fail("round: the method is '{}'; it must be common, ceil or floor", method);
  if (v.is_whole()) return Value::integer(v.whole());
  if (!std::isfinite(v.number())) return v;
  // The decimal representation is exact and rounds half to even, as Python's round() does.
  const std::string digits = fmt::format("{:.{}f}", std::fabs(v.number()), precision);
  return Value::real(std::copysign(nearest_real(digits), v.number()));
}

Value json(Run& run, const Value& v, Arguments arguments) {
  return Value::string(to_json(run, v, std::move(arguments)));
}

}  // namespace

Filter find_filter(const std::string& name) {
  static const std::unordered_map<std::string, Filter> kFilters = {
      {"abs", absolute},   {"count", length},     {"d", with_default}, {"default", with_default},
      {"float", as_real},  {"int", as_whole},     {"length", length},  {"round", rounded},
      {"safe", as_string}, {"string", as_string}, {"tojson", json}};
  if (const auto found = kFilters.find(name); found != kFilters.end()) return found->second;
  if (const Filter of_texts = find_text_filter(name)) return of_texts;
  if (const Filter by_order = find_order_filter(name)) return by_order;
  return find_sequence_filter(name);
}

}  // namespace rung::jinja
