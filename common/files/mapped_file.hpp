#pragma once
// A file that is mapped read-only into memory. Its pages are read when they are first touched, and they
// belong to the system's page cache, so processes share the memory of a model.

#include <cstddef>
#include <span>
#include <string>

#include "core/output_file.hpp"
#include "files/file_bytes.hpp"

namespace rung {

class MappedFile : public FileBytes {
 public:
  /// Maps `path`. Throws Error if it cannot be read, is not a regular file, or is empty. If another program
  /// shortens the file, reading the missing part raises SIGBUS. mapped_file_at() tells the handler of this
  /// signal which file it was.
  explicit MappedFile(const std::string& path);
  ~MappedFile() override;
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  const std::string& path() const override { return path_; }
  std::span<const std::byte> bytes() const override { return {data_, size_}; }
  void release(std::span<const std::byte> part) const override;

 private:
  std::string path_;
  InputInUse in_use_;
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

/// Returns the path of the mapped file that has a page at `address`, or null if there is none. A signal
/// handler can call it.
const char* mapped_file_at(const void* address);

}  // namespace rung
