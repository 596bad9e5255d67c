// Names -> rungs.

#include "kv_cache.hpp"

namespace rung::kv_cache {

void register_rungs(Registry& registry) {
  Ladder<KvCache>& ladder = registry.ladder<KvCache>();
  const std::string folder = "03_techniques/kv_cache/";
  ladder.add({{"contiguous", folder + "contiguous.cpp",
               "one region of --ctx tokens per sequence, reserved at the start"},
              make_contiguous,
              {}});
  ladder.add({{"paged", folder + "paged.cpp", "blocks of a few tokens, allocated as a sequence grows"},
              make_paged,
              {}});
  ladder.add(
      {{"copy_on_write", folder + "copy_on_write.cpp", "blocks with several owners, copied before a write"},
       [](const KvConfig& config) { return make_copy_on_write(config, free_list); },
       {}});
  ladder.add({{"mine", folder + "mine.cpp", "yours to write", /*exercise=*/true},
              [](const KvConfig& config) { return make_copy_on_write(config, mine); },
              {}});
  ladder.make_trials = [&ladder] { return trials(ladder); };
  ladder.make_steps = steps;
}

}  // namespace rung::kv_cache
