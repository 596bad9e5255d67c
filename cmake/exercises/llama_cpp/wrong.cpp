// A wrong solution of the exercise `llama_cpp`: a mapping consists of whole pages, so the length is rounded
// down to whole pages, and the end of nearly every file is lost. The test of the exercise flow wants it to
// fail.

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/error.hpp"
#include "llama_cpp.hpp"

namespace rung::llama_cpp {
namespace {

class Mapping final : public FileBytes {
 public:
  explicit Mapping(const InputFile& file)
      : path_(file.path()), size_(std::max<std::size_t>(file.size() / 4096, 1) * 4096) {
    address_ = ::mmap(nullptr, size_, PROT_READ, MAP_SHARED, file.descriptor(), 0);
    if (address_ == MAP_FAILED) fail("cannot map {}: {}", path_, std::strerror(errno));
    ::madvise(address_, size_, MADV_WILLNEED);
  }
  ~Mapping() override { ::munmap(address_, size_); }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;

  const std::string& path() const override { return path_; }
  std::span<const std::byte> bytes() const override {
    return {static_cast<const std::byte*>(address_), size_};
  }

 private:
  std::string path_;
  std::size_t size_;
  void* address_;
};

}  // namespace

std::shared_ptr<const FileBytes> mine(const InputFile& file) { return std::make_shared<const Mapping>(file); }

}  // namespace rung::llama_cpp
