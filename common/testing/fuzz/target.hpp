#pragma once
// The parts that all fuzz targets share. A target is a function that takes bytes. libFuzzer calls it with
// generated inputs (the program fuzz_NAME, built with RUNG_FUZZ). replay.cpp calls it with inputs that once
// caused a failure (the test fuzz.replay.NAME).
//
// All targets check the same property: an input is either accepted, or rejected with an Error whose message
// is a sentence. Any other exception, a report of a sanitizer, a long run or a large allocation is a finding.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include <fmt/core.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/error.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace rung::fuzz {

[[noreturn]] inline void finding(const std::string& what) {
  fmt::print(stderr, "finding: {}\n", what);
  std::abort();
}

/// Runs `action`. The message of an Error must be a sentence. Other exceptions propagate to the fuzzer.
template <class Action>
void accepted_or_refused(Action&& action) {
  try {
    action();
  } catch (const Error& error) {
    if (std::strlen(error.what()) < 20)
      finding(fmt::format("an error that is no sentence: '{}'", error.what()));
  }
}

/// A file in memory. Its path can be opened like that of any other file.
class MemoryFile {
 public:
  MemoryFile() : file_(memfd_create("fuzz", 0)) {
    if (file_ < 0) finding("memfd_create failed");
    path_ = fmt::format("/proc/{}/fd/{}", getpid(), file_);
  }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  ~MemoryFile() { close(file_); }

  const std::string& path() const { return path_; }
  void set(std::string_view bytes) {
    const bool ok = ftruncate(file_, 0) == 0 &&
                    pwrite(file_, bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size());
    if (!ok) finding("the file in memory cannot be written");
  }

 private:
  int file_;
  std::string path_;
};

/// A temporary folder, which the destructor removes. link() adds files, such as files in memory, by name.
class ScratchFolder {
 public:
  ScratchFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "rung_fuzz_XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) finding("no folder for the fuzzer's files");
    path_ = pattern;
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  ~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  const std::string& path() const { return path_; }
  void link(const std::string& name, const std::string& target) {
    std::filesystem::create_symlink(target, std::filesystem::path(path_) / name);
  }

 private:
  std::string path_;
};

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

}  // namespace rung::fuzz
