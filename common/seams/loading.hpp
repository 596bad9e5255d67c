#pragma once
// Seam `loading`: how the bytes of a model's files get into memory.
//
// The bytes are read-only, start at an address that is a multiple of 64 and do not move, because tensors are
// views of them. A rung may read everything at once, or each page on its first access.
//
// Thread safety: open() may be called by one thread at a time; the bytes may be read by many.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <fmt/core.h>

#include "files/file_bytes.hpp"

namespace rung {

struct LoadingConfig {
  bool shared = false;  // the pages must be in the page cache, where a second process shares them

  std::string describe() const {
    return shared ? "loading into pages that processes share" : "loading a model's files";
  }
};

class Loading {
 public:
  static constexpr std::string_view kSeam = "loading";
  using Config = LoadingConfig;

  virtual ~Loading() = default;

  /// Opens a file. Throws Error if it cannot be read, is not a regular file, or is empty.
  virtual std::shared_ptr<const FileBytes> open(const std::string& path) = 0;
};

}  // namespace rung
