#include "files/file_bytes.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "core/error.hpp"

namespace rung {

bool is_model_folder(const std::string& path) {
  std::error_code error;
  const std::filesystem::file_status status = std::filesystem::status(path, error);
  if (!std::filesystem::exists(status))
    fail("there is no model at '{}': neither a file nor a folder of that name can be reached", path);
  return std::filesystem::is_directory(status);
}

InputFile::InputFile(const std::string& path) : path_(path) {
  // O_NONBLOCK: opening a named pipe must not wait for somebody to write to it.
  descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor_ < 0) fail("cannot open {}: {}", path, std::strerror(errno));
  struct stat info {};
  const bool known = ::fstat(descriptor_, &info) == 0;
  const int error = errno;
  const bool good = known && S_ISREG(info.st_mode) && info.st_size > 0;
  if (!good) ::close(descriptor_);  // the destructor does not run for what was not constructed
  if (!known) fail("cannot read the size of {}: {}", path, std::strerror(error));
  if (S_ISDIR(info.st_mode)) fail("{} is a folder, a file was expected", path);
  if (!S_ISREG(info.st_mode)) fail("{} is no regular file, so it cannot be mapped into memory", path);
  if (info.st_size == 0) fail("{} is empty", path);
  size_ = static_cast<std::size_t>(info.st_size);
}

InputFile::~InputFile() { ::close(descriptor_); }

}  // namespace rung
