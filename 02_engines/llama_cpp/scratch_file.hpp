#pragma once
// Files with known bytes, on which the rungs and the learner's functions are judged.

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "files/file_bytes.hpp"

namespace rung::llama_cpp {

/// The content of every file: a pattern that no page shares with its neighbor.
inline std::uint8_t byte_at(std::size_t i) {
  return static_cast<std::uint8_t>((i * 2654435761u) >> 24 ^ (i >> 12));
}

/// A file of `size` bytes, which the destructor removes.
class ScratchFile {
 public:
  explicit ScratchFile(std::size_t size) {
    static std::atomic<int> number = 0;
    path_ = (std::filesystem::temp_directory_path() / fmt::format("rung-loading-{}-{}", ::getpid(), number++))
                .string();
    std::ofstream out(path_, std::ios::binary);
    std::vector<char> piece(std::min<std::size_t>(size, std::size_t{1} << 20));
    for (std::size_t begin = 0; begin < size; begin += piece.size()) {
      const std::size_t count = std::min(piece.size(), size - begin);
      for (std::size_t i = 0; i < count; ++i) piece[i] = static_cast<char>(byte_at(begin + i));
      out.write(piece.data(), static_cast<std::streamsize>(count));
    }
    out.close();
    if (!out) fail("cannot write {} ({} bytes); is there room in the temporary folder?", path_, size);
  }
  ~ScratchFile() {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
  }
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;

  const std::string& path() const { return path_; }

  /// Drops the file's pages from the cache. They must be on the disk for that.
  void drop_pages(bool written_out) const {
    const InputFile file(path_);
    if (!written_out) ::fsync(file.descriptor());
    ::posix_fadvise(file.descriptor(), 0, 0, POSIX_FADV_DONTNEED);
  }

 private:
  std::string path_;
};

}  // namespace rung::llama_cpp
