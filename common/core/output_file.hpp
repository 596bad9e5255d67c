#pragma once
// Writes files and folders atomically: a target is either complete or unchanged.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rung {

/// Protects the file at `path`, or all files in the folder `path`, because the job reads them. From now on,
/// nothing in this process replaces them. Does nothing if there is no such file.
void protect_input(const std::string& path);

/// Protects the file at `path` in the same way, for the lifetime of this object.
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

/// Writes a file. The bytes go to a temporary file in the target's folder. commit() writes them to the disk
/// and renames the temporary file to the target; without commit(), the destructor removes it. Therefore the
/// target does not change if the disk is full, if an error is found late, after Ctrl-C, or after a crash. If
/// two programs write the same target at the same time, their bytes do not mix.
///
/// A symbolic link is followed. A device or a pipe (/dev/null, /dev/stdout) is written to directly.
class OutputFile {
 public:
  /// Throws Error if the target is a protected input or a folder, or if it cannot be written.
  explicit OutputFile(const std::string& path);
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  /// Throws Error if not all bytes can be written.
  void write(std::span<const std::byte> bytes);
  void write(std::string_view text);
  std::uint64_t written() const { return written_; }

  enum class Durable {
    yes,  // waits for the disk, so the file survives a loss of power
    no    // does not wait; for files that can be made again
  };
  /// Completes the file. Throws Error if this fails; the target is then unchanged.
  void commit(Durable durable = Durable::yes);

  const std::string& path() const { return path_; }
  /// Returns whether the written bytes can be read again; false for a device or a pipe. Call it before
  /// commit().
  bool is_regular() const { return !temporary_.empty(); }
  /// Returns the path of the file that has the bytes before commit().
  const std::string& written_to() const { return temporary_.empty() ? target_ : temporary_; }

 private:
  [[noreturn]] void failed(int error) const;

  std::string path_;       // the path from the caller, for messages
  std::string target_;     // the file to replace; differs from path_ if path_ is a symbolic link
  std::string temporary_;  // empty: the target is written to directly, or is complete
  int descriptor_ = -1;
  std::uint64_t written_ = 0;
};

/// Writes a folder of files in the same way. The caller writes the files into the folder path(), and commit()
/// renames it to the target. An older target is replaced as a whole.
class OutputFolder {
 public:
  /// Calls replaceable(name) with the name of each file in the target. Throws Error if it returns false, if
  /// the target is a file, or if the target cannot be written.
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
