// Your rung of `loading`: the bytes of a file, mapped into memory instead of copied.
//
// mine() receives an open file (descriptor, size, path), which is closed when mine() returns. It returns an
// object whose bytes() are all bytes of the file, for as long as the object lives, in pages that processes
// share. Test it with `./test.sh -R '^llama_cpp.mine$'`, and run it with `rung generate --set loading=mine`.

#include "core/error.hpp"
#include "llama_cpp.hpp"

namespace rung::llama_cpp {

std::shared_ptr<const FileBytes> mine([[maybe_unused]] const InputFile& file) {
  // 1. Write a class that keeps the path, the address and the size. Its destructor unmaps (man 2 munmap).
  // 2. Map read-only and shared, from the first byte to the end of the file (man 2 mmap). If the call returns
  //    MAP_FAILED, which is not a null pointer: fail("cannot map {}: {}", file.path(), std::strerror(errno)).
  // 3. Try advice (man 2 madvise). Measure before and after with rung ladder loading --measure.
  throw NotStarted("loading rung 'mine' is not started: write 02_engines/llama_cpp/mine.cpp");
}

}  // namespace rung::llama_cpp
