#include "files/mapped_file.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstring>

#include "core/error.hpp"

namespace rung {

namespace {

/// What a signal handler may read: which addresses are whose.
struct Mapping {
  std::atomic<bool> taken = false;
  std::atomic<std::uintptr_t> begin = 0, end = 0;  // end is written last, and cleared first
  char path[256];                                  // cut short where it is longer
};
std::array<Mapping, 256> mappings;  // further ones have no name in the sentence

void remember(const std::byte* begin, std::size_t size, const std::string& path) {
  for (Mapping& m : mappings) {
    if (m.taken.exchange(true)) continue;
    m.path[path.copy(m.path, sizeof m.path - 1)] = '\0';
    m.begin = reinterpret_cast<std::uintptr_t>(begin);
    m.end = reinterpret_cast<std::uintptr_t>(begin) + size;
    return;
  }
}

void forget(const std::byte* begin) {
  for (Mapping& m : mappings) {
    if (!m.taken || m.begin != reinterpret_cast<std::uintptr_t>(begin)) continue;
    m.end = 0;
    m.begin = 0;
    m.taken = false;
    return;
  }
}

}  // namespace

const char* mapped_file_at(const void* address) {
  const auto at = reinterpret_cast<std::uintptr_t>(address);
  for (const Mapping& m : mappings) {
    if (at >= m.begin && at < m.end) return m.path;
  }
  return nullptr;
}

MappedFile::MappedFile(const std::string& path) : path_(path), in_use_(path) {
  const InputFile file(path);  // closed at the end; the mapping outlives it
  void* address = ::mmap(nullptr, file.size(), PROT_READ, MAP_SHARED, file.descriptor(), 0);
  if (address == MAP_FAILED) fail("cannot map {} ({} bytes): {}", path, file.size(), std::strerror(errno));
  data_ = static_cast<const std::byte*>(address);
  size_ = file.size();
  remember(data_, size_, path);
}

MappedFile::~MappedFile() {
  if (data_ == nullptr) return;
  forget(data_);
  ::munmap(const_cast<std::byte*>(data_), size_);
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
