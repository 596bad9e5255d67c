// Names -> rungs.

#include "core/error.hpp"
#include "prefix_caching.hpp"

namespace rung::prefix_caching {

void register_rungs(Registry& registry) {
  Ladder<PrefixCache>& ladder = registry.ladder<PrefixCache>();
  using Make = std::unique_ptr<PrefixCache> (*)(const PrefixCacheConfig&);
  const auto add = [&](const std::string& name, const char* summary, Make make, bool exercise = false) {
    ladder.add({{name, "03_techniques/prefix_caching/" + name + ".cpp", summary, exercise},
                [make](const PrefixCacheConfig& config) {
                  if (config.block_size < 1)
                    fail("a prefix cache needs blocks of at least 1 token, not {}", config.block_size);
                  return make(config);
                },
                {}});
  };
  add("none", "nothing is kept", make_none);
  add("hash_chain", "a table of whole blocks, each known by its tokens and the block before it",
      make_hash_chain);
  add("radix", "a radix tree of known texts, also with parts of blocks", make_radix);
  add("mine", "yours to write", make_mine, /*exercise=*/true);
  ladder.make_trials = [&ladder] { return trials(ladder); };
  ladder.make_goals = [&ladder] { return goals(ladder); };
  ladder.make_steps = steps;
}

}  // namespace rung::prefix_caching
