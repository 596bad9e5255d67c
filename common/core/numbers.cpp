#include "core/numbers.hpp"

#include <charconv>
#include <cmath>
#include <cstdint>

#include "core/ascii.hpp"

namespace rung {
namespace {

template <class T>
std::string expected(const NumberRange<T>& range) {
  const bool least = range.least > std::numeric_limits<T>::lowest(),
             most = range.most < std::numeric_limits<T>::max();
  if (least && most) return fmt::format("it must be from {} to {}", range.least, range.most);
  if (least) return fmt::format("it must be at least {}", range.least);
  if (most) return fmt::format("it must be at most {}", range.most);
  return fmt::format("it must be from {} to {}", std::numeric_limits<T>::lowest(),
                     std::numeric_limits<T>::max());
}

}  // namespace

template <class T>
std::string read_number(std::string_view text, T& value, const std::type_identity_t<NumberRange<T>>& range) {
  constexpr const char* kWanted = std::is_integral_v<T> ? "it must be a whole number" : "it must be a number";
  std::string_view digits = text;
  if (digits.starts_with('+')) digits.remove_prefix(1);
  const char first = digits.starts_with('-') && digits.size() > 1 ? digits[1]
                     : digits.empty()                             ? ' '
                                                                  : digits[0];
  // from_chars also accepts "inf" and "nan", which do not begin with a digit or a point.
  if (!is_ascii_digit(first) && first != '.') return kWanted;
  if (text.starts_with('+') && digits.starts_with('-')) return kWanted;
  if (std::is_unsigned_v<T> && digits.starts_with('-')) {
    std::int64_t negative = 0;
    return read_number(digits, negative).empty() ? expected(range) : kWanted;
  }
  T number{};
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error == std::errc::invalid_argument || end != digits.data() + digits.size()) return kWanted;
  if (error == std::errc::result_out_of_range || !(number >= range.least && number <= range.most)) {
    return expected(range);
  }
  value = number;
  return "";
}

template std::string read_number(std::string_view, int&, const NumberRange<int>&);
template std::string read_number(std::string_view, std::int64_t&, const NumberRange<std::int64_t>&);
template std::string read_number(std::string_view, std::uint64_t&, const NumberRange<std::uint64_t>&);
template std::string read_number(std::string_view, float&, const NumberRange<float>&);
template std::string read_number(std::string_view, double&, const NumberRange<double>&);

}  // namespace rung
