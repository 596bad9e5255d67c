// Tests of which texts are numbers and which are not.

#include "core/numbers.hpp"

#include <cmath>

#include "testing/catch.hpp"

using namespace rung;

namespace {

template <class T>
std::string expected(std::string_view text, NumberRange<T> range = {}) {
  T value = T(77);
  const std::string sentence = read_number(text, value, range);
  if (!sentence.empty()) CHECK(value == T(77));
  return sentence;
}

template <class T>
T value_of(std::string_view text) {
  return number_from<T>("it", text);
}

}  // namespace

TEST_CASE("numbers are decimal, signed, and as wide as they can be") {
  CHECK(value_of<int>("010") == 10);
  CHECK(value_of<int>("+7") == 7);
  CHECK(value_of<int>("-2147483648") == std::numeric_limits<int>::min());
  CHECK(value_of<std::int64_t>("9223372036854775807") == std::numeric_limits<std::int64_t>::max());
  CHECK(value_of<std::uint64_t>("18446744073709551615") == std::numeric_limits<std::uint64_t>::max());
  CHECK(value_of<double>("1e-3") == 1e-3);
  CHECK(value_of<double>(".5") == 0.5);
  CHECK(value_of<double>("-2.5E2") == -250);
  CHECK(value_of<float>("0.1") == 0.1f);
}

TEST_CASE("what is no number is refused as a whole") {
  for (const char* text : {"", " ", "-", "+", "+-1", "-+1", "--1", "1 ", " 1", "1x", "0x10", "1.0", "1e3",
                           "1,2", "ten", "\xd9\xa1"}) {
    INFO("'" << text << "'");
    CHECK(expected<int>(text) == "it must be a whole number");
    CHECK(expected<std::uint64_t>(text) == "it must be a whole number");
  }
  for (const char* text :
       {"", "-", ".", "e5", "1e", "1e+", "0x1p3", "nan", "NaN", "inf", "-inf", "infinity", "1.2.3", "1 "}) {
    INFO("'" << text << "'");
    CHECK(expected<double>(text) == "it must be a number");
  }
}

TEST_CASE("a number out of range is refused with the range, and never wraps") {
  CHECK(expected<int>("2147483648") == "it must be from -2147483648 to 2147483647");
  CHECK(expected<int>("4294967300") == "it must be from -2147483648 to 2147483647");
  CHECK(expected<int>("99999999999999999999999") == "it must be from -2147483648 to 2147483647");
  CHECK(expected<std::uint64_t>("18446744073709551616") == "it must be from 0 to 18446744073709551615");
  CHECK(expected<std::uint64_t>("-1") == "it must be from 0 to 18446744073709551615");
  CHECK(expected<int>("0", {1, 64}) == "it must be from 1 to 64");
  CHECK(expected<int>("65", {1, 64}) == "it must be from 1 to 64");
  CHECK(expected<int>("0", {1}) == "it must be at least 1");
  CHECK(expected<int>("99999999999", {1}) == "it must be at least 1");
  CHECK(expected<double>("1e400") != "");
  CHECK(expected<float>("1e39") != "");
  CHECK(expected<double>("1e-300", {1.0, 1e18}) == "it must be from 1 to 1e+18");
  CHECK_THROWS_WITH(number_from<int>("--ctx", "-3", {1}), "--ctx is -3; it must be at least 1");
  CHECK_THROWS_WITH(number_from<int>("--ctx", "", {1}), "--ctx is empty; it must be a whole number");
  CHECK_THROWS_AS(number_from<int>("--ctx", "x"), UsageError);
}
