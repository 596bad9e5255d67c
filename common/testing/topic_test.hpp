#pragma once
// The part that every topic's test has in common: all rungs of a seam pass all trials.

#include <map>
#include <set>
#include <string>

#include "core/registry.hpp"
#include "testing/catch.hpp"

namespace rung::testing {

/// A registry with the rungs of one topic, made once.
template <void (*kRegisterRungs)(Registry&)>
const Registry& registry_of() {
  static const Registry filled = [] {
    Registry registry;
    kRegisterRungs(registry);
    return registry;
  }();
  return filled;
}

/// The ladder of a seam in it.
template <class Seam, void (*kRegisterRungs)(Registry&)>
const Ladder<Seam>& ladder_of() {
  return registry_of<kRegisterRungs>().template ladder<Seam>();
}

/// The goals of a ladder: each compares with a rung that has a number, the same one every time, and another
/// rung that is right misses it, so that reaching it says something.
inline void judge_goals(const LadderBase& ladder, const std::set<std::string>& right) {
  for (const Goal& goal : ladder.goals()) {
    INFO("goal: " << goal.what);
    CHECK_FALSE(ladder.info(goal.rung).exercise);
    const GoalResult own = judge_goal(goal, goal.rung);
    CHECK(own.good);
    CHECK(own.of_rung > 0);
    CHECK(own.mine == own.of_rung);
    bool missed = false;
    for (const std::string& rung : right) missed = missed || !judge_goal(goal, rung).good;
    CHECK(missed);
  }
}

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
  std::set<std::string> right;
  for (const auto& [rung, count] : passed) right.insert(rung);
  judge_goals(ladder, right);
}

}  // namespace rung::testing
