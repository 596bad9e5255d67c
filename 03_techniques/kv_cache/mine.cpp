// Your rung: the block pool of a cache whose sequences share blocks. The lesson in this folder says what it
// must do and which test checks it.
//
// The idea, for blocks 0 .. blocks - 1:
//   1. count the owners of every block; a block without an owner is free
//   2. store the free blocks so that take() and release() take constant time
//   3. a block becomes free when its last owner releases it, not before, and only once

#include "core/error.hpp"
#include "kv_cache.hpp"

namespace rung::kv_cache {

std::unique_ptr<BlockPool> mine([[maybe_unused]] int blocks) {
  throw NotStarted("kv rung 'mine' is not started: write 03_techniques/kv_cache/mine.cpp");
}

}  // namespace rung::kv_cache
