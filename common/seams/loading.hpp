#pragma once
// Seam `loading`: how the bytes of a model's files get into memory.
//
// What is opened is read-only, starts at a multiple of 64 and stays where it is: tensors are views of it. A
// rung may read everything at once or nothing until somebody looks.
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
  bool shared = false;  // the pages must be the system's, so that a second process takes no memory for them

  std::string describe() const {
    return shared ? "loading into pages that processes share" : "loading a model's files";
  }
};

class Loading {
 public:
  static constexpr std::string_view kSeam = "loading";
  using Config = LoadingConfig;

  virtual ~Loading() = default;

  /// Opens a file. Throws Error with a sentence when it cannot be read, is no regular file, or is empty.
  virtual std::shared_ptr<const FileBytes> open(const std::string& path) = 0;
};

}  // namespace rung
