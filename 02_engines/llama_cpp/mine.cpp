// Your file in memory, in three steps: mapped instead of copied, in pages that processes share. The lesson
// beside this file explains them. Judge with
//
//   rung exercises llama_cpp          builds this file and judges all steps
//   rung exercises llama_cpp --hint   shows one hint for the step that does not pass yet
//
// The manual pages of the system calls are `man 2 mmap`, `man 2 munmap` and `man 2 madvise`.

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <memory>

#include "core/error.hpp"
#include "llama_cpp.hpp"

namespace rung::llama_cpp {
namespace {

[[noreturn, maybe_unused]] void not_started(const char* function) {
  throw NotStarted(fmt::format("{} is not started: write it in 02_engines/llama_cpp/mine.cpp", function));
}

}  // namespace

// Step 1. Maps all of a file and returns its bytes. `file` is an open file that is not empty, with
// file.descriptor(), file.size() in bytes, and file.path(). The mapping is read-only and shared, and begins
// at the first byte of the file. If mmap() returns MAP_FAILED, calls fail("cannot map {}: {}", file.path(),
// std::strerror(errno)), which throws an Error. Test: llama_cpp.mine.1
std::span<const std::byte> my_map([[maybe_unused]] const InputFile& file) { not_started("my_map()"); }

// Step 2. The system can only give up whole pages. A page begins at an address that is a multiple of `page`
// and has `page` bytes. Returns the bytes of all pages that are completely inside `part`, or an empty span if
// there is none. Computes with the addresses and does not read the bytes. Test: llama_cpp.mine.2
std::span<const std::byte> my_whole_pages([[maybe_unused]] std::span<const std::byte> part,
                                          [[maybe_unused]] std::size_t page) {
  not_started("my_whole_pages()");
}

namespace {

// Step 3. The bytes of a file for as long as the object lives (FileBytes, common/files/file_bytes.hpp). Keep
// the path and the result of my_map(), because `file` is closed when mine() returns. Test: llama_cpp.mine.3
class MyFile final : public FileBytes {
 public:
  // Maps the file with my_map().
  explicit MyFile([[maybe_unused]] const InputFile& file) { not_started("MyFile()"); }
  // Gives the mapping back to the system (man 2 munmap).
  ~MyFile() override {}
  MyFile(const MyFile&) = delete;
  MyFile& operator=(const MyFile&) = delete;

  // Returns the path of the file, as file.path() was.
  const std::string& path() const override { not_started("path()"); }
  // Returns all bytes of the file.
  std::span<const std::byte> bytes() const override { not_started("bytes()"); }
  // The caller will hardly read `part` of bytes() again. Gives up the memory of its whole pages, if there
  // are any: madvise() with the advice MADV_DONTNEED (man 2 madvise). sysconf(_SC_PAGESIZE) returns the size
  // of a page. The bytes stay valid.
  void release([[maybe_unused]] std::span<const std::byte> part) const override { not_started("release()"); }
};

}  // namespace

std::shared_ptr<const FileBytes> mine(const InputFile& file) { return std::make_shared<const MyFile>(file); }

}  // namespace rung::llama_cpp
