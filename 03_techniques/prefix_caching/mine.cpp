// Your rung: a prefix cache. The lesson in this folder says what it must do and which test checks it.
//
// The idea:
//   1. insert() stores whole blocks: their tokens, and the tokens before them
//   2. match() follows the tokens as far as they are known, and returns the blocks on the way
//   3. evict() gives up the ends of texts first, because the blocks after a missing block cannot be found

#include "core/error.hpp"
#include "prefix_caching.hpp"

namespace rung::prefix_caching {

std::unique_ptr<PrefixCache> make_mine([[maybe_unused]] const PrefixCacheConfig& config) {
  throw NotStarted("prefix_cache rung 'mine' is not started: write 03_techniques/prefix_caching/mine.cpp");
}

}  // namespace rung::prefix_caching
