// Rung 1 of `loading`: map the file; its pages in the system's cache become pages of this process.
//
// Opening costs the same for any size. Nothing is copied: the first touch of a page enters it into our page
// table, and reads it from the disk only when the cache does not have it. All processes that map the file use
// the same pages, and under pressure the system drops them without writing anything. The call itself is in
// files/mapped_file.cpp; readers of model files use it when nobody chooses otherwise.

#include "files/mapped_file.hpp"
#include "llama_cpp.hpp"

namespace rung::llama_cpp {
namespace {

class Mmap final : public Loading {
 public:
  std::shared_ptr<const FileBytes> open(const std::string& path) override {
    return std::make_shared<const MappedFile>(path);
  }
};

}  // namespace

std::unique_ptr<Loading> make_mmap(const LoadingConfig&) { return std::make_unique<Mmap>(); }

}  // namespace rung::llama_cpp
