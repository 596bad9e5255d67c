#pragma once
// A file mapped read-only into memory: its pages are read when they are first touched and belong to
// the system's cache, so a model takes no memory twice.

#include <cstddef>
#include <span>
#include <string>

#include "core/output_file.hpp"
#include "files/file_bytes.hpp"

namespace rung {

class MappedFile : public FileBytes {
 public:
  /// Maps `path`. Throws Error when it cannot be read, is no regular file, or is empty. When another program
  /// shortens the file, reading what is gone raises SIGBUS; mapped_file_at() tells a handler of that signal
  /// whose it was.
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

/// The path of the mapped file that has a page at `address`; null: none. May be called by a signal handler.
const char* mapped_file_at(const void* address);

}  // namespace rung
