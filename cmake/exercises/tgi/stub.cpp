// Your reader of safetensors headers, in three steps. The lesson beside this file explains them. Judge with
//
//   rung exercises tgi          builds this file and judges all steps
//   rung exercises tgi --hint   shows one hint for the step that does not pass yet
//
// A header is a JSON text:  {"__metadata__": {...}, "NAME": {"dtype": "BF16", "shape": [2, 3],
// "data_offsets": [0, 12]}, ...}
//
// fail("{}: ...", where, ...) in common/core/error.hpp throws an Error with this sentence. Every sentence of
// your functions begins with their last argument, which names the place.
//
// A nlohmann::json is a parsed JSON value. value.is_array(), .is_object(), .is_string() and
// .is_number_unsigned() say what it is. The last one is true for 0, 1, 2 and so on, and false for -1, -0
// and 2.0. value.get<std::uint64_t>() and .get<std::string>() return its content, and `for (const
// nlohmann::json& item : value)` visits the elements of a list. object.contains("key") says whether a field
// exists. If it does, object["key"] is its value.

#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "files/json_file.hpp"
#include "tgi.hpp"

namespace rung::tgi {
namespace {

[[noreturn, maybe_unused]] void not_started(const char* function) {
  throw NotStarted(fmt::format("{} is not started: write it in 02_engines/tgi/mine.cpp", function));
}

}  // namespace

// Step 1. Returns the elements of a JSON list, which can be empty. Throws an Error if `list` is not a list,
// or if one of its elements is not an integer from 0 to kMaxSafetensorsInteger, which is 2^62. Numbers
// like 2.0 and -0 are not accepted. Test: tgi.mine.1
std::vector<std::uint64_t> my_integers([[maybe_unused]] const nlohmann::json& list,
                                       [[maybe_unused]] const std::string& where) {
  not_started("my_integers()");
}

// Step 2. Returns the entry of one tensor (SafetensorsEntry, common/files/safetensors_header.hpp).
// `description` is the value that the header has for `name`. It must be an object with the fields "dtype", a
// string, "shape", a list of at most kMaxSafetensorsDims integers, and "data_offsets", a list of two
// integers, which become `begin` and `end`. Throws an Error if a field is missing or different. Ignores other
// fields. Does not check what the values mean, because the loader does that. Test: tgi.mine.2
SafetensorsEntry my_tensor([[maybe_unused]] const std::string& name,
                           [[maybe_unused]] const nlohmann::json& description,
                           [[maybe_unused]] const std::string& where) {
  not_started("my_tensor()");
}

// Step 3. Returns the entries of all tensors of a header (Entries is a std::vector<SafetensorsEntry>), in any
// order. Throws an Error if the text is not JSON or not an object, or if a key occurs twice in an object.
// Every key names a tensor, except "__metadata__", which is skipped. parse_json(header, what) of
// common/files/json_file.hpp parses any JSON and throws an Error for invalid text and for repeated keys. `for
// (const auto& [key, value] : document.items())` visits the fields of an object. Test: tgi.mine.3
Entries mine([[maybe_unused]] std::string_view header, [[maybe_unused]] const std::string& what) {
  not_started("mine()");
}

}  // namespace rung::tgi
