#pragma once
// Numbers that people write: in options, in files. One place says what is a number.
//
// Decimal digits with a sign, an integer also where T has 64 bits; a point and an exponent where T is float
// or double. No other base, no spaces, no infinity, no "nan". A number that T cannot hold is refused, never
// wrapped or rounded to the nearest that it can.

#include <limits>
#include <string>
#include <string_view>
#include <type_traits>

#include "core/error.hpp"

namespace rung {

/// From `least` to `most`, both included.
template <class T>
struct NumberRange {
  T least = std::numeric_limits<T>::lowest();
  T most = std::numeric_limits<T>::max();
};

/// Sets `value` and returns "" if `text` is a number of the range; else leaves `value` alone and returns what
/// was expected, as the end of a sentence: "it must be a whole number", "it must be from 1 to 64". T is int,
/// std::int64_t, std::uint64_t, float or double.
template <class T>
std::string read_number(std::string_view text, T& value,
                        const std::type_identity_t<NumberRange<T>>& range = {});

/// The number that `text` is. Throws UsageError: "NAME is TEXT; it must be from 1 to 64".
template <class T>
T number_from(std::string_view name, std::string_view text,
              const std::type_identity_t<NumberRange<T>>& range = {}) {
  T value{};
  const std::string expected = read_number(text, value, range);
  if (!expected.empty()) fail_usage("{} is {}; {}", name, text.empty() ? "empty" : text, expected);
  return value;
}

}  // namespace rung
