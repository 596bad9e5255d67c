// Your rung of `loading`: the bytes of a file, mapped into memory instead of copied.
//
// Given: an open file (descriptor, size, path) that is closed when mine() returns. To return: an object whose
// bytes() are the file's, to the last one, for as long as it lives, in pages that other processes share.
// Judged by `ctest -R llama_cpp.mine`; run in the engine by `rung generate --set loading=mine`.

#include "core/error.hpp"
#include "llama_cpp.hpp"

namespace rung::llama_cpp {

std::shared_ptr<const FileBytes> mine([[maybe_unused]] const InputFile& file) {
  // 1. A class that keeps path, address and size; its destructor gives the mapping back (man 2 munmap).
  // 2. man 2 mmap: read-only, shared, from the first byte, as long as the file. MAP_FAILED is not a null
  // pointer:
  //    fail("cannot map {}: {}", file.path(), std::strerror(errno)).
  // 3. Advice that pays (man 2 madvise): measure before and after with rung ladder loading --measure.
  throw NotStarted("loading rung 'mine' is not started: write 02_engines/llama_cpp/mine.cpp");
}

}  // namespace rung::llama_cpp
