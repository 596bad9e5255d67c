#pragma once
// The bytes of a file in memory, independent of how they were loaded. The readers of GGUF and safetensors get
// them from a FileOpener, which the engine chooses (seam `loading`, topic 02_engines/llama_cpp).

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>

namespace rung {

class FileBytes {
 public:
  virtual ~FileBytes() = default;
  virtual const std::string& path() const = 0;
  /// Returns the whole file, read-only. Its address is a multiple of 64. The bytes are valid as long as this
  /// object exists.
  virtual std::span<const std::byte> bytes() const = 0;
  /// Announces that `part` of bytes() will hardly be read again. If the system can read it from the file
  /// again, this process gives up its memory. The content stays the same.
  virtual void release(std::span<const std::byte> part) const { static_cast<void>(part); }
};

/// Opens a file. Throws Error if it cannot be read, is not a regular file, or is empty.
using FileOpener = std::function<std::shared_ptr<const FileBytes>(const std::string& path)>;

/// Returns the default opener, which creates a MappedFile.
FileOpener map_files();

/// Returns whether a model's path is a folder. Throws Error if nothing exists at this path.
bool is_model_folder(const std::string& path);

/// A regular, non-empty file that is open for reading. Every way of loading begins with it.
class InputFile {
 public:
  /// Throws the same errors as a FileOpener.
  explicit InputFile(const std::string& path);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  const std::string& path() const { return path_; }
  int descriptor() const { return descriptor_; }
  std::size_t size() const { return size_; }

 private:
  std::string path_;
  int descriptor_ = -1;
  std::size_t size_ = 0;
};

}  // namespace rung
