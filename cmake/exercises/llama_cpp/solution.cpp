// One right answer to the exercise of 02_engines/llama_cpp; the judge of exercises compiles it as mine.cpp.

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <memory>

#include "core/error.hpp"
#include "llama_cpp.hpp"

namespace rung::llama_cpp {

// Step 1. Maps all of a file and returns its bytes. `file` is an open file that is not empty, with
// file.descriptor(), file.size() in bytes, and file.path(). The mapping is read-only and shared, and begins
// at the first byte of the file. If mmap() returns MAP_FAILED, calls fail("cannot map {}: {}", file.path(),
// std::strerror(errno)), which throws an Error. Test: llama_cpp.mine.1
std::span<const std::byte> my_map(const InputFile& file) {
  void* address = ::mmap(nullptr, file.size(), PROT_READ, MAP_SHARED, file.descriptor(), 0);
  if (address == MAP_FAILED) fail("cannot map {}: {}", file.path(), std::strerror(errno));
  return {static_cast<const std::byte*>(address), file.size()};
}

// Step 2. The system can only give up whole pages. A page begins at an address that is a multiple of `page`
// and has `page` bytes. Returns the bytes of all pages that are completely inside `part`, or an empty span if
// there is none. Computes with the addresses and does not read the bytes. Test: llama_cpp.mine.2
std::span<const std::byte> my_whole_pages(std::span<const std::byte> part, std::size_t page) {
  const auto first = reinterpret_cast<std::uintptr_t>(part.data());
  const std::uintptr_t begin = (first + page - 1) / page * page, end = (first + part.size()) / page * page;
  if (begin >= end) return {};
  return {reinterpret_cast<const std::byte*>(begin), end - begin};
}

namespace {

// Step 3. The bytes of a file for as long as the object lives (FileBytes, common/files/file_bytes.hpp). Keep
// the path and the result of my_map(), because `file` is closed when mine() returns. Test: llama_cpp.mine.3
class MyFile final : public FileBytes {
 public:
  // Maps the file with my_map().
  explicit MyFile(const InputFile& file) : path_(file.path()), bytes_(my_map(file)) {}
  // Gives the mapping back to the system (man 2 munmap).
  ~MyFile() override { ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size()); }
  MyFile(const MyFile&) = delete;
  MyFile& operator=(const MyFile&) = delete;

  // Returns the path of the file, as file.path() was.
  const std::string& path() const override { return path_; }
  // Returns all bytes of the file.
  std::span<const std::byte> bytes() const override { return bytes_; }
  // The caller will hardly read `part` of bytes() again. Gives up the memory of its whole pages, if there
  // are any: madvise() with the advice MADV_DONTNEED (man 2 madvise). sysconf(_SC_PAGESIZE) returns the size
  // of a page. The bytes stay valid.
  void release(std::span<const std::byte> part) const override {
    const auto pages = my_whole_pages(part, static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)));
    if (!pages.empty()) ::madvise(const_cast<std::byte*>(pages.data()), pages.size(), MADV_DONTNEED);
  }

 private:
  std::string path_;
  std::span<const std::byte> bytes_;
};

}  // namespace

std::shared_ptr<const FileBytes> mine(const InputFile& file) { return std::make_shared<const MyFile>(file); }

}  // namespace rung::llama_cpp
