// A wrong answer: it takes the metadata for a tensor.

#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "files/json_file.hpp"
#include "tgi.hpp"

namespace rung::tgi {

// Step 1. Returns the elements of a JSON list, which can be empty. Throws an Error if `list` is not a list,
// or if one of its elements is not an integer from 0 to kMaxSafetensorsInteger, which is 2^62. Numbers
// like 2.0 and -0 are not accepted. Test: tgi.mine.1
std::vector<std::uint64_t> my_integers(const nlohmann::json& list, const std::string& where) {
  if (!list.is_array()) fail("{} is not a list", where);
  std::vector<std::uint64_t> integers;
  for (const nlohmann::json& item : list) {
    if (!item.is_number_unsigned() || item.get<std::uint64_t>() > kMaxSafetensorsInteger)
      fail("{} has an element that is not an integer from 0 to 2^62", where);
    integers.push_back(item.get<std::uint64_t>());
  }
  return integers;
}

// Step 2. Returns the entry of one tensor (SafetensorsEntry, common/files/safetensors_header.hpp).
// `description` is the value that the header has for `name`. It must be an object with the fields "dtype", a
// string, "shape", a list of at most kMaxSafetensorsDims integers, and "data_offsets", a list of two
// integers, which become `begin` and `end`. Throws an Error if a field is missing or different. Ignores other
// fields. Does not check what the values mean, because the loader does that. Test: tgi.mine.2
SafetensorsEntry my_tensor(const std::string& name, const nlohmann::json& description,
                           const std::string& where) {
  if (!description.is_object()) fail("{} is not an object", where);
  for (const char* field : {"dtype", "shape", "data_offsets"}) {
    if (!description.contains(field)) fail("{} has no '{}'", where, field);
  }
  if (!description["dtype"].is_string()) fail("{}: 'dtype' is not a string", where);
  const auto shape = my_integers(description["shape"], where + ": 'shape'");
  const auto offsets = my_integers(description["data_offsets"], where + ": 'data_offsets'");
  if (shape.size() > kMaxSafetensorsDims) fail("{} has {} dimensions", where, shape.size());
  if (offsets.size() != 2) fail("{} has {} data offsets instead of 2", where, offsets.size());
  return {
      name, description["dtype"].get<std::string>(), {shape.begin(), shape.end()}, offsets[0], offsets[1]};
}

// Step 3. Returns the entries of all tensors of a header (Entries is a std::vector<SafetensorsEntry>), in any
// order. Throws an Error if the text is not JSON or not an object, or if a key occurs twice in an object.
// Every key names a tensor, except "__metadata__", which is skipped. parse_json(header, what) of
// common/files/json_file.hpp parses any JSON and throws an Error for invalid text and for repeated keys. `for
// (const auto& [key, value] : document.items())` visits the fields of an object. Test: tgi.mine.3
Entries mine(std::string_view header, const std::string& what) {
  const nlohmann::json document = parse_json(header, what);
  if (!document.is_object()) fail("{} is not a JSON object", what);
  Entries entries;
  for (const auto& [name, description] : document.items())
    entries.push_back(my_tensor(name, description, fmt::format("{}: tensor '{}'", what, name)));
  return entries;
}

}  // namespace rung::tgi
