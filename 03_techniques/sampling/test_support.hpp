#pragma once
// What the tests of this topic share.

#include <cmath>
#include <functional>
#include <string>
#include <utility>

#include "core/error.hpp"
#include "sampling.hpp"

namespace rung::sampling {

using Ids = std::vector<std::int32_t>;

inline const Registry& registry() {
  static const Registry filled = [] {
    Registry r;
    sampling::register_rungs(r);
    return r;
  }();
  return filled;
}

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

inline std::string sentence_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace rung::sampling
