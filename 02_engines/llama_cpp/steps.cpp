// The graded steps of the exercise: what to write, hints, and checks with known answers.

#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <utility>

#include "core/error.hpp"
#include "core/printable.hpp"
#include "core/process_memory.hpp"
#include "llama_cpp.hpp"
#include "scratch_file.hpp"

namespace rung::llama_cpp {
namespace {

using Bytes = std::span<const std::byte>;

Verdict failed(const std::string& name, std::size_t size, const std::string& index,
               const std::string& expected, const std::string& got) {
  return Verdict().fail(mismatch(name, fmt::format("{} byte", size), index, expected, got));
}

std::size_t page_size() { return static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)); }

std::uintptr_t address_of(Bytes bytes) { return reinterpret_cast<std::uintptr_t>(bytes.data()); }

/// What the system says about the mapping at an address: "r--s" for a shared mapping that can only be read;
/// nothing if the system does not say it.
std::optional<std::string> permissions_at(std::uintptr_t address) {
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    std::istringstream words(line);
    std::uintptr_t begin = 0, end = 0;
    char dash = 0;
    std::string permissions;
    words >> std::hex >> begin >> dash >> end >> permissions;
    if (address >= begin && address < end) return permissions;
  }
  return std::nullopt;
}

/// The first byte that differs from the file's, if there is one. All bytes must be readable.
std::optional<std::size_t> first_difference(Bytes bytes) {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (std::to_integer<int>(bytes[i]) != byte_at(i)) return i;
  }
  return std::nullopt;
}

Verdict compare_bytes(const std::string& what, Bytes bytes) {
  const std::optional<std::size_t> wrong = first_difference(bytes);
  if (!wrong) return {};
  return failed(what, bytes.size(), fmt::format("byte {}", *wrong), std::to_string(byte_at(*wrong)),
                std::to_string(std::to_integer<int>(bytes[*wrong])));
}

Verdict judge_map(const std::string& what, std::size_t size) {
  Bytes bytes;
  {
    const ScratchFile scratch(size);
    const InputFile file(scratch.path());
    bytes = my_map(file);
  }
  if (bytes.size() != size)
    return failed(what, size, "number of bytes", std::to_string(size), std::to_string(bytes.size()));
  // Anything else is not a mapping and must not be unmapped here.
  if (bytes.data() == nullptr || address_of(bytes) % page_size() != 0) {
    return failed(what, size, "address of the bytes", fmt::format("a multiple of {}", page_size()),
                  fmt::format("{:#x}", address_of(bytes)));
  }
  const std::string permissions = permissions_at(address_of(bytes)).value_or("r--s");
  const Verdict verdict =
      permissions == "r--s"
          ? compare_bytes(what, bytes)
          : failed(what, size, "access (r: read, w: write) and kind (s: shared, p: private)", "r--s",
                   permissions);
  ::munmap(const_cast<std::byte*>(bytes.data()), bytes.size());
  return verdict;
}

/// Limits the address space of this process to what it uses now and `more` bytes.
class AddressLimit {
 public:
  explicit AddressLimit(std::size_t more) {
    std::ifstream statm("/proc/self/statm");
    std::size_t pages = 0;
    if (!(statm >> pages) || ::getrlimit(RLIMIT_AS, &before_) != 0) return;
    rlimit limit = before_;
    limit.rlim_cur = std::min<rlim_t>(before_.rlim_max, pages * page_size() + more);
    set_ = ::setrlimit(RLIMIT_AS, &limit) == 0;
  }
  ~AddressLimit() {
    if (set_) ::setrlimit(RLIMIT_AS, &before_);
  }
  AddressLimit(const AddressLimit&) = delete;
  AddressLimit& operator=(const AddressLimit&) = delete;

 private:
  rlimit before_{};
  bool set_ = false;
};

/// A mapping that fails: a file of 1 GB, of which nothing is written, and too little room for its addresses.
Verdict judge_failed_map(const std::string& what) {
  constexpr std::size_t kSize = std::size_t{1} << 30;
  const ScratchFile scratch(1);
  std::error_code error;
  std::filesystem::resize_file(scratch.path(), kSize, error);
  if (error) return {};  // this file system has no such files
  const InputFile file(scratch.path());
  Bytes bytes;
  try {
    const AddressLimit limit(std::size_t{128} << 20);
    bytes = my_map(file);
  } catch (const NotStarted&) {
    throw;
  } catch (const Error& refused) {
    const std::string sentence = refused.what();
    if (sentence.find(scratch.path()) != std::string::npos) return {};
    return failed(what, kSize, "message of the Error", fmt::format("a sentence with {}", scratch.path()),
                  fmt::format("'{}'", sentence));
  }
  if (bytes.size() == kSize && address_of(bytes) % page_size() == 0 && bytes.data() != nullptr) {
    ::munmap(const_cast<std::byte*>(bytes.data()), kSize);
    return {};  // this system has no such limit, so the mapping was right
  }
  return failed(what, kSize, "what my_map() does", "throws an Error",
                fmt::format("returns {} bytes at address {:#x}{}", bytes.size(), address_of(bytes),
                            bytes.data() == MAP_FAILED ? ", which is MAP_FAILED" : ""));
}

std::vector<Trial> map_checks() {
  std::vector<Trial> checks;
  for (const std::size_t size :
       {std::size_t{1}, std::size_t{4096}, std::size_t{4097}, std::size_t{100'001}}) {
    checks.push_back(step_check(
        fmt::format("a file of {}, closed and deleted", counted(static_cast<std::int64_t>(size), "byte")),
        [size](const std::string& what) { return judge_map(what, size); }));
  }
  checks.push_back(step_check("the system cannot map a file of 1 GB", judge_failed_map));
  return checks;
}

/// A part of memory by its addresses. Nothing is read from it.
Bytes at(std::uintptr_t begin, std::uintptr_t end) {
  return {reinterpret_cast<const std::byte*>(begin), end - begin};
}

std::string text_of(Bytes bytes) {
  return bytes.empty()
             ? "no bytes"
             : fmt::format("addresses {} to {}", address_of(bytes), address_of(bytes) + bytes.size() - 1);
}

Trial pages(std::string name, Bytes part, Bytes expected, std::size_t page = 4096) {
  return step_check(std::move(name), [=](const std::string& what) {
    const Bytes got = my_whole_pages(part, page);
    if (got.size() == expected.size() && (got.empty() || got.data() == expected.data())) return Verdict();
    return failed(what, part.size(), text_of(part), text_of(expected), text_of(got));
  });
}

std::vector<Trial> page_checks() {
  return {
      pages("two whole pages", at(8192, 16384), at(8192, 16384)),
      pages("the first byte of the first page is missing", at(8193, 16384), at(12288, 16384)),
      pages("the last byte of the last page is missing", at(8192, 16383), at(8192, 12288)),
      pages("a byte more than a page on both sides", at(8191, 12289), at(8192, 12288)),
      pages("4,096 bytes, but of two pages", at(8193, 12289), {}),
      pages("100 bytes inside a page", at(8200, 8300), {}),
      pages("an empty part", at(8192, 8192), {}),
      pages("a page has 16,384 bytes", at(4096, 69632), at(16384, 65536), 16384),
  };
}

/// Reads every page, so that the process uses all of them.
std::size_t touch(Bytes bytes) {
  std::size_t sum = 0;
  for (std::size_t i = 0; i < bytes.size(); i += 512) sum += std::to_integer<std::size_t>(bytes[i]);
  return sum;
}

/// Releases `part` of a file of 64 MB. The memory must be given back, and the bytes must stay.
Verdict judge_release(const std::string& what, std::size_t offset, std::size_t size) {
  constexpr std::size_t kSize = std::size_t{64} << 20, kSlack = std::size_t{8} << 20;
  const ScratchFile scratch(kSize);
  std::shared_ptr<const FileBytes> file;
  {
    const InputFile input(scratch.path());
    file = mine(input);
  }
  const Bytes bytes = file->bytes();
  if (bytes.size() != kSize)
    return failed(what, kSize, "number of bytes", std::to_string(kSize), std::to_string(bytes.size()));
  if (touch(bytes) == 0) return failed(what, kSize, "sum of bytes", "above 0", "0");
  const std::size_t before = process_memory().file_bytes;
  file->release(bytes.subspan(offset, size));
  const std::size_t after = process_memory().file_bytes;
  const std::size_t given = before > after ? before - after : 0;
  if (before != 0 && (given + kSlack < size || given > size + kSlack)) {
    return failed(what, kSize, "bytes of files in memory that release() gave back",
                  fmt::format("about {}", size), std::to_string(given));
  }
  return compare_bytes(what, bytes);
}

std::vector<Trial> file_checks() {
  constexpr std::size_t kHalf = std::size_t{32} << 20;
  return {
      step_check("release() of all of 64 MB",
                 [](const std::string& what) { return judge_release(what, 0, 2 * kHalf); }),
      step_check("release() of the second half of 64 MB",
                 [](const std::string& what) { return judge_release(what, kHalf, kHalf); }),
      step_check("release() of nearly half, which begins and ends inside a page",
                 [](const std::string& what) { return judge_release(what, 100, kHalf - 200); }),
      step_check("release() of 100 bytes",
                 [](const std::string& what) { return judge_release(what, 5000, 100); }),
  };
}

}  // namespace

std::vector<ExerciseStep> steps() {
  std::vector<ExerciseStep> list(3);
  list[0] = {
      "map",
      "Write `my_map()`: map a file and return its bytes.",
      3,
      {"Which of the arguments of mmap() make a mapping that cannot be written and that all processes "
       "share?",
       "mmap(nullptr, file.size(), PROT_READ, MAP_SHARED, file.descriptor(), 0) returns the address. The "
       "length is that of the file, although the system maps whole pages.",
       "mmap() reports an error by returning MAP_FAILED, which is (void*)-1. A comparison with nullptr "
       "does not detect it."},
      map_checks};
  list[1] = {
      "whole pages",
      "Write `my_whole_pages()`: the pages that are completely inside a part of memory.",
      5,
      {"The first page of the part may begin before it. At which address does the next page begin?",
       "Convert part.data() to a std::uintptr_t. Round it up to a multiple of `page`, and round the "
       "address of the end down.",
       "(address + page - 1) / page * page rounds up. If the rounded begin is not below the rounded end, "
       "return an empty span: the difference of unsigned numbers would be huge."},
      page_checks};
  list[2] = {
      "a mapped file",
      "Write the class `MyFile`: own a mapping, unmap it at the end, and release parts of it.",
      10,
      {"The file is closed when mine() returns, and the engine reads the bytes much later. What must the "
       "object keep?",
       "The members are the path and the span of my_map(). The destructor calls munmap(address, size). "
       "const_cast<std::byte*>(bytes.data()) makes the address a pointer that munmap() takes.",
       "release() calls madvise(address, size, MADV_DONTNEED) for the result of my_whole_pages(part, "
       "sysconf(_SC_PAGESIZE)), unless it is empty."},
      file_checks,
      true};
  return list;
}

}  // namespace rung::llama_cpp
