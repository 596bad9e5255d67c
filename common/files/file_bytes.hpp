#pragma once
// The bytes of a file, however they came into memory. The readers of GGUF and safetensors take them from a
// FileOpener; which one is a choice of the engine (seam `loading`, topic 02_engines/llama_cpp).

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
  /// The whole file, read-only. The first byte lies at a multiple of 64; all stay until the object goes.
  virtual std::span<const std::byte> bytes() const = 0;
  /// Says that `part` of bytes() will hardly be read again. Where the system can bring it back from the file,
  /// this process gives its memory up; the content stays the same.
  virtual void release(std::span<const std::byte> part) const { static_cast<void>(part); }
};

/// Opens a file. Throws Error with a sentence when it cannot be read, is no regular file, or is empty.
using FileOpener = std::function<std::shared_ptr<const FileBytes>(const std::string& path)>;

/// The default: MappedFile.
FileOpener map_files();

/// Whether a model's path is a folder. Throws Error with a sentence when there is nothing at that path.
bool is_model_folder(const std::string& path);

/// A regular file that is not empty, open for reading: what every way of loading begins with.
class InputFile {
 public:
  /// Throws Error with a sentence.
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
