// The graded steps of the exercise: what to write, hints, and checks with known answers.

#include <fmt/ranges.h>

#include <exception>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "core/error.hpp"
#include "tgi.hpp"

namespace rung::tgi {
namespace {

using nlohmann::json;

constexpr const char* kError = "an Error";
constexpr const char* kWhere = "header: tensor 'w'";  // how the message of an Error must begin

/// What a function makes of one JSON text: its result in words, or kError.
std::string outcome(const std::string& text, const std::function<std::string(const json&)>& function) {
  try {
    return function(json::parse(text));
  } catch (const NotStarted&) {
    throw;
  } catch (const Error& error) {
    const std::string sentence = error.what();
    return sentence.starts_with(kWhere)
               ? kError
               : fmt::format("an Error whose message does not begin with \"{}\": \"{}\"", kWhere, sentence);
  } catch (const std::exception& error) {
    return fmt::format("an exception that is not an Error: {}", error.what());
  }
}

/// A check of several texts with the same answer.
Trial check(std::string name, std::vector<std::string> texts, std::string expected,
            std::function<std::string(const json&)> function) {
  return step_check(std::move(name), [=](const std::string& name) {
    for (const std::string& text : texts) {
      const std::string got = outcome(text, function);
      if (got == expected) continue;
      return Verdict().fail(
          mismatch(name, fmt::format("a JSON text of {} bytes", text.size()), text, expected, got));
    }
    return Verdict();
  });
}

Trial integers(std::string name, std::vector<std::string> lists, std::string expected = kError) {
  return check(std::move(name), std::move(lists), std::move(expected), [](const json& list) {
    return fmt::format("[{}]", fmt::join(my_integers(list, kWhere), ","));
  });
}

std::vector<Trial> integer_checks() {
  return {
      integers("two integers", {"[2,3]"}, "[2,3]"),
      integers("an empty list", {"[]"}, "[]"),
      integers("more than 32 bits", {"[0,5000000000]"}, "[0,5000000000]"),
      integers("the largest integer, 2^62", {"[4611686018427387904]"}, "[4611686018427387904]"),
      integers("not a list", {"6", "null", "{}", R"("2,3")", "{\"a\":2}"}),
      integers(
          "-0, and numbers that are not integers from 0 to 2^62",
          {"[-1]", "[-0]", "[2.0]", "[2.5]", "[1e3]", "[4611686018427387905]", "[99999999999999999999]"}),
      integers("elements that are not numbers", {R"(["2"])", "[null]", "[true]", "[[2]]", "[{}]"}),
      integers("the last element is wrong", {"[1,2,-3]", R"([1,2,"3"])"}),
  };
}

std::string text_of(const SafetensorsEntry& e) {
  return fmt::format("'{}' {} [{}] in bytes {} to {}", e.name, e.dtype, fmt::join(e.shape, ","), e.begin,
                     e.end);
}

Trial tensor(std::string name, std::vector<std::string> descriptions, std::string expected = kError) {
  return check(std::move(name), std::move(descriptions), std::move(expected),
               [](const json& description) { return text_of(my_tensor("w", description, kWhere)); });
}

/// A description with these values of the three fields.
std::string fields(const char* dtype, const char* shape, const char* offsets) {
  return fmt::format(R"({{"dtype":{},"shape":{},"data_offsets":{}}})", dtype, shape, offsets);
}

std::vector<Trial> tensor_checks() {
  const char *f32 = "\"F32\"", *shape = "[2,3]", *offsets = "[0,24]";
  return {
      tensor("a matrix", {fields(f32, shape, offsets)}, "'w' F32 [2,3] in bytes 0 to 24"),
      tensor("a scalar has no dimensions", {fields("\"F16\"", "[]", "[8,10]")},
             "'w' F16 [] in bytes 8 to 10"),
      tensor("another order, and a field that is ignored",
             {R"({"note":{"dtype":[1]},"data_offsets":[4,28],"shape":[3,2],"dtype":"F32"})"},
             "'w' F32 [3,2] in bytes 4 to 28"),
      tensor("eight dimensions, and sizes and offsets that cannot be right",
             {fields("\"XYZ\"", "[1,2,3,4,5,6,7,4611686018427387904]", "[7,3]")},
             "'w' XYZ [1,2,3,4,5,6,7,4611686018427387904] in bytes 7 to 3"),
      tensor("nine dimensions", {fields(f32, "[1,1,1,1,1,1,1,1,1]", offsets)}),
      tensor("not two offsets",
             {fields(f32, shape, "[]"), fields(f32, shape, "[24]"), fields(f32, shape, "[0,24,48]")}),
      tensor("a field is missing",
             {R"({"shape":[2,3],"data_offsets":[0,24]})", R"({"dtype":"F32","data_offsets":[0,24]})",
              R"({"dtype":"F32","shape":[2,3]})", "{}"}),
      tensor("a field has another type",
             {fields("1", shape, offsets), fields("null", shape, offsets),
              fields("[\"F32\"]", shape, offsets), fields(f32, "6", offsets), fields(f32, "[2.0]", offsets),
              fields(f32, shape, "24"), fields(f32, shape, "[0,-24]")}),
      tensor("the description is not an object",
             {R"(["dtype","shape","data_offsets"])", R"("F32")", "null", "1"}),
  };
}

Trial header(std::string name, std::vector<std::string> texts, std::string expected = kError) {
  return check(std::move(name), std::move(texts), std::move(expected), [](const json& document) {
    return fmt::format("{} tensors", mine(document.dump(), kWhere).size());
  });
}

std::vector<Trial> header_checks() {
  const std::string scalar = fields("\"F16\"", "[]", "[0,2]");
  return {
      header("no tensor", {"{}", R"({"__metadata__":{"format":"pt"}})"}, "0 tensors"),
      header("two tensors", {R"({"__metadata__":{},"a":)" + scalar + R"(,"b":)" + scalar + "}"}, "2 tensors"),
      header("the text is not an object", {"[]", "[1]", R"("w")", "7", "null"}),
      header("the second tensor is wrong", {R"({"a":)" + scalar + R"(,"b":{}})"}),
  };
}

}  // namespace

std::vector<ExerciseStep> steps() {
  std::vector<ExerciseStep> list(3);
  list[0] = {
      "integers",
      "Write `my_integers()`: the elements of a JSON list, if all of them are integers.",
      9,
      {"`list` can be wrong as a whole, or one of its elements can be wrong. Which do you check first?",
       "is_number() is true for 2.0 and -1, and is_number_integer() for -1 and -0. is_number_unsigned() is "
       "true for 0, 1, 2 and so on.",
       "Check is_number_unsigned() first. Then item.get<std::uint64_t>() must be at most "
       "kMaxSafetensorsInteger."},
      integer_checks};
  list[1] = {
      "one tensor",
      "Write `my_tensor()`: the entry of one tensor, if its description has the right fields.",
      10,
      {"What does the JSON library do if you ask a list or a number for a field, or an object for a field "
       "that does not exist?",
       "Check is_object() before all fields, and contains() before each field. at() throws an exception of "
       "the library, which is not an Error.",
       "Call my_integers() for the shape and for the offsets, and then check how many numbers it returned. "
       "The shape of an entry has signed integers: {shape.begin(), shape.end()} converts them."},
      tensor_checks};
  list[2] = {
      "a header",
      "Write `mine()`: the entries of all tensors of a header.",
      8,
      {"Which key of a header does not name a tensor?",
       "parse_json(header, what) returns the document. Check that it is an object before you call items().",
       "The last argument of my_tensor() must say which tensor it is: fmt::format(\"{}: tensor '{}'\", what, "
       "name)."},
      header_checks,
      true};
  return list;
}

}  // namespace rung::tgi
