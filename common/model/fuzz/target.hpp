#pragma once
// What the fuzz targets share. A target is a function over bytes; libFuzzer calls it with inputs that it
// makes up (fuzz_NAME, with RUNG_FUZZ), replay.cpp with inputs that once broke something (the test
// fuzz.replay.NAME).
//
// The property is the same everywhere: an input is accepted, or refused with an Error that is a sentence.
// Any other exception, a sanitizer's report, a long run or a large allocation is a finding.

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
#include "model/tokenizer.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace rung::fuzz {

[[noreturn]] inline void finding(const std::string& what) {
  fmt::print(stderr, "finding: {}\n", what);
  std::abort();
}

/// Runs `action`; an Error must be a sentence, everything else goes on to the fuzzer.
template <class Action>
void accepted_or_refused(Action&& action) {
  try {
    action();
  } catch (const Error& error) {
    if (std::strlen(error.what()) < 20)
      finding(fmt::format("an error that is no sentence: '{}'", error.what()));
  }
}

/// A file in memory with a path that can be opened.
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

/// An empty folder that is removed at the end; files in memory appear in it under a name.
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

/// Encodes and decodes; whatever the vocabulary is, ids must be inside it.
inline void exercise_tokenizer(const Tokenizer& tokenizer, std::string_view text) {
  for (const bool special : {false, true}) {
    const auto ids = tokenizer.encode(text, special);
    for (const std::int32_t id : ids) {
      if (id < 0 || id >= tokenizer.vocab_size()) finding(fmt::format("id {} outside the vocabulary", id));
    }
    static_cast<void>(tokenizer.decode(ids));
    StreamDecoder stream(tokenizer);
    for (const std::int32_t id : ids) static_cast<void>(stream.push(id));
    static_cast<void>(stream.finish());
  }
  for (const std::int32_t id : {0, tokenizer.vocab_size() / 2, tokenizer.vocab_size() - 1}) {
    if (id < 0 || id >= tokenizer.vocab_size()) continue;
    static_cast<void>(tokenizer.piece(id));
    static_cast<void>(tokenizer.is_end(id));
  }
  static_cast<void>(tokenizer.describe());
}

inline constexpr std::string_view kSampleText =
    "Once upon\ta time, \xc3\xa9\xe4\xb8\xad\xf0\x9f\x98\x80 <s>12345</s> don't\n\n  \xff\xc3 <|endoftext|> "
    "x";

}  // namespace rung::fuzz
