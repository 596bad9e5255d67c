#include "model/mapped_file.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
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

// Pages of a shared mapping that nobody wrote to are the system's cache: dropping them from our page table
// loses nothing. Pages that reach beyond the part stay.
void MappedFile::release(std::span<const std::byte> part) const {
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const auto begin = (reinterpret_cast<std::uintptr_t>(part.data()) + page - 1) / page * page;
  const auto end = reinterpret_cast<std::uintptr_t>(part.data() + part.size()) / page * page;
  // It is advice: when the system does not take it, the pages stay ours.
  if (begin < end) ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
}

FileOpener map_files() {
  return [](const std::string& path) { return std::make_shared<const MappedFile>(path); };
}

}  // namespace rung
