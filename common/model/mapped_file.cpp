#include "model/mapped_file.hpp"

#include <sys/mman.h>

#include <cerrno>
#include <cstring>

#include "core/error.hpp"

namespace rung {

MappedFile::MappedFile(const std::string& path) : path_(path) {
  const InputFile file(path);  // closed at the end; the mapping outlives it
  void* address = ::mmap(nullptr, file.size(), PROT_READ, MAP_SHARED, file.descriptor(), 0);
  if (address == MAP_FAILED) fail("cannot map {} ({} bytes): {}", path, file.size(), std::strerror(errno));
  data_ = static_cast<const std::byte*>(address);
  size_ = file.size();
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<std::byte*>(data_), size_);
}

FileOpener map_files() {
  return [](const std::string& path) { return std::make_shared<const MappedFile>(path); };
}

}  // namespace rung
