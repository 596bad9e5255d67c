#pragma once
// Reads numbers that a person wrote in an option or in a file.
//
// A number has decimal digits and may have a sign. If T is float or double, it may also have a decimal point
// and an exponent. Other bases, spaces, infinity and "nan" are refused. A number outside the range of T is
// refused too; it never wraps around and is never replaced by the nearest number in the range.

#include <limits>
#include <string>
#include <string_view>
#include <type_traits>

#include "core/error.hpp"

namespace rung {

/// The numbers from `least` to `most`, both included.
template <class T>
struct NumberRange {
  T least = std::numeric_limits<T>::lowest();
  T most = std::numeric_limits<T>::max();
};

/// Sets `value` and returns "" if `text` is a number in the range. Otherwise, does not change `value` and
/// returns what was expected, as the end of a sentence: "it must be a whole number", "it must be from 1 to
/// 64". T is int, std::int64_t, std::uint64_t, float or double.
template <class T>
std::string read_number(std::string_view text, T& value,
                        const std::type_identity_t<NumberRange<T>>& range = {});

/// Returns the number that `text` contains. Throws UsageError if it is not a number in the range: "NAME is
/// TEXT; it must be from 1 to 64".
template <class T>
T number_from(std::string_view name, std::string_view text,
              const std::type_identity_t<NumberRange<T>>& range = {}) {
  T value{};
  const std::string expected = read_number(text, value, range);
  if (!expected.empty()) fail_usage("{} is {}; {}", name, text.empty() ? "empty" : text, expected);
  return value;
}

}  // namespace rung
