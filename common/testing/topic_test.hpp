#pragma once
// The part that every topic's test has in common: all rungs of a seam pass all trials.

#include <map>
#include <string>

#include "core/registry.hpp"
#include "testing/catch.hpp"

namespace rung::testing {

/// Judges every rung of `seam` but the learner's on every trial, with 1 and 2 threads. A rung may decline
/// a trial it does not support, but must pass at least one.
inline void judge_all(const Registry& registry, const std::string& seam) {
  const LadderBase& ladder = registry.find(seam);
  const auto trials = ladder.trials();
  REQUIRE_FALSE(trials.empty());
  std::map<std::string, int> passed;
  // All rungs of a trial follow each other, so that a topic need keep one trial's inputs and answer only.
  for (const Trial& trial : trials) {
    for (const RungInfo& rung : ladder.rungs()) {
      if (rung.exercise) continue;
      for (const int threads : {1, 2}) {
        const Verdict verdict = trial.judge(rung.name, threads);
        INFO("rung " << rung.name << ", trial " << trial.name << ", threads " << threads << ": "
                     << verdict.message);
        CHECK(verdict.status != Verdict::Status::failed);
        CHECK(verdict.status != Verdict::Status::not_started);
        passed[rung.name] += verdict.status == Verdict::Status::passed;
      }
    }
  }
  for (const auto& [rung, count] : passed) {
    INFO("rung " << rung);
    CHECK(count > 0);
  }
}

}  // namespace rung::testing
