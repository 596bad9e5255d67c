#pragma once
// A goal measures how good a correct exercise is.
//
// Trials show whether a rung is correct. Some exercises also leave a choice to the learner that no trial
// judges, for example which request runs first, which block is evicted, or which scale gives the smallest
// error. A goal counts the cost of that choice on a fixed input and compares it with a rung of the ladder.
// The number is counted or simulated, never timed, so it is the same on every machine. An exercise that
// misses a goal is still correct.

#include <functional>
#include <string>

namespace rung {

struct Goal {
  std::string what;   // what is counted, and on which input: "steps to serve 96 requests that come at once"
  std::string unit;   // the unit of the number, or "" if `what` contains it
  std::string rung;   // the rung to compare with
  double factor = 1;  // a number is good if it is at most `factor` times the number of `rung`
  /// Returns the number of the rung with this name; a smaller number is better. Throws NotStarted if the rung
  /// has no code yet, and Error if it breaks a rule of its seam.
  std::function<double(const std::string& rung)> count;
};

struct GoalResult {
  double mine = 0;      // the number of the rung that was judged
  double of_rung = 0;   // the number of the goal's rung
  double limit = 0;     // the largest number that is good
  bool good = false;    // mine <= limit
  std::string failure;  // the reason if there is no number, else empty
  /// Returns the result as a sentence for the learner:
  /// "good: steps to serve ...: 512; good is up to 571, the number of continuous"
  std::string sentence(const Goal& goal) const;
};

/// Counts the numbers of `rung`, usually the learner's `mine`, and of the goal's rung, and compares them. If
/// counting `rung` throws an Error, its message becomes the failure.
GoalResult judge_goal(const Goal& goal, const std::string& rung);

}  // namespace rung
