#pragma once
// A goal: what makes a correct exercise a good one.
//
// Trials say whether a rung is right. Some exercises leave the learner a choice that no trial judges: which
// request goes first, which block is evicted, which scale loses least. A goal counts what that choice costs
// on a fixed input, and compares it with a rung of the ladder. The number is counted or simulated, never
// timed, so it is the same on every machine. An exercise that misses a goal is still correct.

#include <functional>
#include <string>

namespace rung {

struct Goal {
  std::string what;   // what is counted, and on what: "steps to serve 96 requests that come at once"
  std::string unit;   // of the number, "" where `what` says it
  std::string rung;   // the rung to compare with
  double factor = 1;  // a number up to factor times that rung's is good
  /// The number of one rung, by its name; the smaller, the better. Throws NotStarted, or Error where the rung
  /// breaks a rule of its seam.
  std::function<double(const std::string& rung)> count;
};

struct GoalResult {
  double mine = 0;      // the number of the rung that was judged
  double of_rung = 0;   // the number of the goal's rung
  double limit = 0;     // the largest number that is good
  bool good = false;    // mine <= limit
  std::string failure;  // why there is no number
  /// "good: steps to serve ...: 512; good is up to 571, the number of continuous"
  std::string sentence(const Goal& goal) const;
};

/// Counts `rung`, usually the learner's `mine`, and the goal's own rung. An Error of `rung` is its failure.
GoalResult judge_goal(const Goal& goal, const std::string& rung);

}  // namespace rung
