// Rung 2 of `loading`: map the file and tell the system that all of it will be needed.
//
// With a mapping alone the disk is asked for a little at a time, each time a touched page is missing, and the
// computation waits for it. MADV_WILLNEED starts reading the whole file at once, in large requests, while the
// header is parsed and the first layers run. When the cache has everything already it costs almost nothing.

#include <sys/mman.h>

#include <algorithm>

#include "core/process_memory.hpp"
#include "files/mapped_file.hpp"
#include "llama_cpp.hpp"

namespace rung::llama_cpp {
namespace {

class MmapPrefetch final : public Loading {
 public:
  std::shared_ptr<const FileBytes> open(const std::string& path) override {
    auto file = std::make_shared<const MappedFile>(path);
    // What does not fit into memory would push out what came before it: then only the beginning is asked for.
    const auto most = static_cast<std::size_t>(available_memory() / 2);
    const std::size_t wanted = std::min(file->bytes().size(), most);
    // It is advice: when the system does not take it, pages still come as they are touched.
    ::madvise(const_cast<std::byte*>(file->bytes().data()), wanted, MADV_WILLNEED);
    return file;
  }
};

}  // namespace

std::unique_ptr<Loading> make_mmap_prefetch(const LoadingConfig&) { return std::make_unique<MmapPrefetch>(); }

}  // namespace rung::llama_cpp
