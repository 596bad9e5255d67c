// Your rung: the pool of blocks behind a cache that shares them. The lesson beside this file says which test
// judges it.
//
// The idea, for blocks 0 .. blocks - 1:
//   1. count the owners of every block; a block with none is free
//   2. keep the free ones so that take() and release() cost the same however many there are
//   3. a block is free again after its last owner's release(), not before, and only once

#include "core/error.hpp"
#include "kv_cache.hpp"

namespace rung::kv_cache {

std::unique_ptr<BlockPool> mine([[maybe_unused]] int blocks) {
  throw NotStarted("kv rung 'mine' is not started: write 03_techniques/kv_cache/mine.cpp");
}

}  // namespace rung::kv_cache
