// Rung 0 of `loading`: read the whole file into memory of our own.
//
// Every byte is copied once, from the system's page cache to the heap, before the first token can be
// computed. The copy belongs to this process alone: a second one makes its own, and the page cache keeps the
// original beside both for as long as there is room.

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "core/error.hpp"
#include "core/process_memory.hpp"
#include "llama_cpp.hpp"

namespace rung::llama_cpp {
namespace {

constexpr std::size_t kAlignment = 64;  // what the kernels ask for: a cache line

class Copy final : public FileBytes {
 public:
  explicit Copy(const InputFile& file) : path_(file.path()), size_(file.size()) {
    // Linux hands out more memory than it has and kills whoever uses it, so the check must come first.
    if (static_cast<double>(size_) > available_memory()) {
      fail(
          "{} has {:.1f} MB, {:.1f} MB of memory are available; use --set loading=mmap, which copies nothing",
          path_, static_cast<double>(size_) * 1e-6, available_memory() * 1e-6);
    }
    data_.reset(static_cast<std::byte*>(
        std::aligned_alloc(kAlignment, (size_ + kAlignment - 1) / kAlignment * kAlignment)));
    if (!data_) fail("{:.1f} MB of memory for {} cannot be had", static_cast<double>(size_) * 1e-6, path_);
    read_all(file.descriptor());
  }

  const std::string& path() const override { return path_; }
  std::span<const std::byte> bytes() const override { return {data_.get(), size_}; }

 private:
  void read_all(int descriptor) {
    // A call may always read less than it is asked for, and never more than 2 GB. Small pieces make the loop
    // run for small files too, so that a test sees it.
    constexpr std::size_t kMost = std::size_t{1} << 20;
    for (std::size_t done = 0; done < size_;) {
      const ssize_t got = ::read(descriptor, data_.get() + done, std::min(kMost, size_ - done));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) fail("cannot read {}: {}", path_, std::strerror(errno));
      if (got == 0) fail("{} was cut to {} bytes while its {} were being read", path_, done, size_);
      done += static_cast<std::size_t>(got);
    }
  }

  struct Free {
    void operator()(std::byte* data) const { std::free(data); }
  };
  std::string path_;
  std::size_t size_;
  std::unique_ptr<std::byte, Free> data_;
};

class Read final : public Loading {
 public:
  std::shared_ptr<const FileBytes> open(const std::string& path) override {
    return std::make_shared<const Copy>(InputFile(path));
  }
};

}  // namespace

std::unique_ptr<Loading> make_read(const LoadingConfig&) { return std::make_unique<Read>(); }

}  // namespace rung::llama_cpp
