#pragma once
// Files and folders that a program writes: as a whole or not at all.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rung {

/// From now on nothing in this process replaces the file at `path`, or one of the files in the folder `path`:
/// they are what the job reads. Does nothing where there is no such file.
void protect_input(const std::string& path);

/// The same for the file at `path`, as long as this lives.
class InputInUse {
 public:
  explicit InputInUse(const std::string& path);
  ~InputInUse();
  InputInUse(const InputInUse&) = delete;
  InputInUse& operator=(const InputInUse&) = delete;

 private:
  std::uint64_t device_ = 0, number_ = 0;
  bool known_ = false;
};

/// Bytes go to a temporary file beside the target. commit() puts it on the disk and gives it the target's
/// name; without commit() it is removed. So a full disk, a mistake that is found late, Ctrl-C or a crash
/// leave the target as it was, and two programs that write one target at the same time do not mix.
///
/// A symbolic link is followed. A device or a pipe (/dev/null, /dev/stdout) is written to directly.
class OutputFile {
 public:
  /// Throws Error where the target is an input, is a folder, or cannot be written.
  explicit OutputFile(const std::string& path);
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  /// Throws Error when not all of it can be written.
  void write(std::span<const std::byte> bytes);
  void write(std::string_view text);
  std::uint64_t written() const { return written_; }

  enum class Durable {
    yes,  // survives a loss of power: waits for the disk
    no    // for what can be made again
  };
  /// Throws Error when the file cannot be completed; the target is then as it was.
  void commit(Durable durable = Durable::yes);

  const std::string& path() const { return path_; }
  /// Whether what is written can be read again: false for a device or a pipe.
  bool is_regular() const { return !temporary_.empty(); }
  /// Where the bytes are until commit().
  const std::string& written_to() const { return temporary_.empty() ? target_ : temporary_; }

 private:
  [[noreturn]] void failed(int error) const;

  std::string path_;       // as it was given, for sentences
  std::string target_;     // that a symbolic link points to
  std::string temporary_;  // empty: the target is written to directly, or is complete
  int descriptor_ = -1;
  std::uint64_t written_ = 0;
};

/// The same for a folder of files: they are written in path(), and commit() gives it the target's name. An
/// older target is replaced as a whole.
class OutputFolder {
 public:
  /// Throws Error where the target is a file or cannot be written, and where it has a file for which
  /// `replaceable`, asked with names within the target, is false.
  template <class Replaceable>
  OutputFolder(const std::string& target, Replaceable replaceable) : target_(target) {
    for (const std::string& name : names_within(target)) {
      if (!replaceable(name)) refuse(name);
    }
    make();
  }
  ~OutputFolder();
  OutputFolder(const OutputFolder&) = delete;
  OutputFolder& operator=(const OutputFolder&) = delete;

  const std::string& path() const { return temporary_; }
  void commit();

 private:
  static std::vector<std::string> names_within(const std::string& folder);
  [[noreturn]] void refuse(const std::string& name) const;
  void make();

  std::string target_, temporary_;
};

}  // namespace rung
