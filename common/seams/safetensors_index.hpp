#pragma once
// Seam `safetensors_index`: from the header of a safetensors file to the list of its tensors.
//
// files/safetensors_header.hpp describes what a reader receives, returns and refuses, because the loader in
// that folder calls it. A reader must not access tensor data, and must not rely on the sizes. The loader
// checks them. Thread safety: read() is const and may be called by many threads.

#include <string>
#include <string_view>

#include "files/safetensors_header.hpp"

namespace rung {

struct SafetensorsIndexConfig {
  std::string describe() const { return "headers of safetensors files"; }
};

class SafetensorsIndex : public SafetensorsReader {
 public:
  static constexpr std::string_view kSeam = "safetensors_index";
  using Config = SafetensorsIndexConfig;
};

}  // namespace rung
