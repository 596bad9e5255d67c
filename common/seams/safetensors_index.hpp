#pragma once
// Seam `safetensors_index`: from the header of a safetensors file to the list of its tensors.
//
// What a reader takes, returns and refuses stands in files/safetensors_header.hpp, because the loader on that
// floor calls it. A reader must not look at tensor data, and must not believe sizes: the loader checks them.
// Thread safety: read() is const and may be called by many threads.

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
