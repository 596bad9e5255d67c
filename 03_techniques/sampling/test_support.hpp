#pragma once
// What the tests of this topic share.

#include <cmath>
#include <string>
#include <utility>

#include "sampling.hpp"
#include "testing/damage.hpp"
#include "testing/topic_test.hpp"

namespace rung::sampling {

using Ids = std::vector<std::int32_t>;

inline const Registry& registry() { return testing::registry_of<sampling::register_rungs>(); }

/// Every rung but the learner's, by name.
inline std::vector<std::pair<std::string, std::unique_ptr<Sampler>>> all_rungs(int vocab) {
  const Ladder<Sampler>& ladder = registry().ladder<Sampler>();
  std::vector<std::pair<std::string, std::unique_ptr<Sampler>>> rungs;
  for (const RungInfo& rung : ladder.rungs()) {
    if (!rung.exercise) rungs.emplace_back(rung.name, ladder.make(rung.name, {vocab}));
  }
  return rungs;
}

inline SamplingParams plain() {
  SamplingParams params;
  params.temperature = 1;
  return params;
}

inline std::vector<float> logs(std::initializer_list<double> p) {
  std::vector<float> logits;
  for (const double value : p) logits.push_back(static_cast<float>(std::log(value)));
  return logits;
}

using testing::sentence_of;

}  // namespace rung::sampling
