#pragma once
// The fields of a config.json, for the files that read a KvShape from it: kv_shape_config.cpp and
// kv_shape_layers.cpp.

#include <initializer_list>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "files/json_file.hpp"
#include "model/kv_shape.hpp"

namespace rung {

struct ConfigFields {
  const std::string& what;  // name of the file in error messages
  const nlohmann::json& object;

  /// Returns the first of `names` that exists, or null. A field that is null counts as missing, as in
  /// transformers.
  const nlohmann::json* find(std::initializer_list<const char*> names) const {
    for (const char* name : names) {
      const auto at = object.find(name);
      if (at != object.end() && !at->is_null()) return &*at;
    }
    return nullptr;
  }
  int number(std::initializer_list<const char*> names) const {
    constexpr int kMaxNumber = 1 << 24;
    const nlohmann::json* value = find(names);
    if (value == nullptr) fail("{}: '{}' is missing, and the KV cache depends on it", what, *names.begin());
    if (!value->is_number_unsigned() || value->get<std::uint64_t>() > kMaxNumber) {
      fail("{}: '{}' is {}, expected an integer from 0 to {}", what, *names.begin(), value->dump(),
           kMaxNumber);
    }
    return value->get<int>();
  }
  int number(std::initializer_list<const char*> names, int otherwise) const {
    return find(names) != nullptr ? number(names) : otherwise;
  }
  bool flag(const char* name, bool otherwise) const {
    const nlohmann::json* value = find({name});
    return value != nullptr && value->is_boolean() ? value->get<bool>() : otherwise;
  }
};

/// Changes `layers`, which are all alike, to what each layer keeps: windows, layers without keys and values
/// of their own, and layers with other heads. Throws Error for a layout that the formula does not describe.
void read_layer_kinds(const ConfigFields& config, const std::string& architecture,
                      std::vector<KvLayer>& layers);

}  // namespace rung
