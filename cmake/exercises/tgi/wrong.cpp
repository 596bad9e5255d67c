// A learner's rung that is nearly right: it takes any number for an integer, so that [2.0] is a shape. The
// test of the exercise flow puts it in the place of 02_engines/tgi/mine.cpp on a scratch copy and wants it
// refused.

#include "core/error.hpp"
#include "files/json_file.hpp"
#include "tgi.hpp"

namespace rung::tgi {
namespace {

using nlohmann::json;

std::vector<std::uint64_t> integers(const json& tensor, const char* field, const std::string& what) {
  const auto list = tensor.find(field);
  if (list == tensor.end() || !list->is_array()) fail("{}: '{}' is missing or no list", what, field);
  std::vector<std::uint64_t> result;
  for (const json& item : *list) {
    if (!item.is_number() || item.get<std::uint64_t>() > kMaxSafetensorsInteger) {  // the bug
      fail("{}: '{}' has an element that is no integer from 0 to 2^62", what, field);
    }
    result.push_back(item.get<std::uint64_t>());
  }
  return result;
}

}  // namespace

Entries mine(std::string_view header, const std::string& what) {
  const json document = parse_json(header, what);
  if (!document.is_object()) fail("{} is no JSON object", what);
  Entries entries;
  for (const auto& [name, tensor] : document.items()) {
    if (name == "__metadata__") continue;
    if (!tensor.is_object()) fail("{}: tensor '{}' is no object", what, name);
    const auto dtype = tensor.find("dtype");
    if (dtype == tensor.end() || !dtype->is_string()) fail("{}: tensor '{}' has no dtype", what, name);
    const auto shape = integers(tensor, "shape", what);
    const auto offsets = integers(tensor, "data_offsets", what);
    if (shape.size() > kMaxSafetensorsDims || offsets.size() != 2) fail("{}: too many numbers", what);
    entries.push_back({name, *dtype, {shape.begin(), shape.end()}, offsets[0], offsets[1]});
  }
  return entries;
}

}  // namespace rung::tgi
