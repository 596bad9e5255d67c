// Rung 0: nothing is kept. Every request computes its whole prompt, and nothing is looked up.

#include "loop/no_prefix_cache.hpp"
#include "prefix_caching.hpp"

namespace rung::prefix_caching {

std::unique_ptr<PrefixCache> make_none(const PrefixCacheConfig& /*config*/) {
  return std::make_unique<NoPrefixCache>();
}

}  // namespace rung::prefix_caching
