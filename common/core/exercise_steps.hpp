#pragma once
// The graded steps of an exercise.
//
// An exercise of one function is a long way for a learner: nothing passes until everything is right. So a
// topic divides it into steps, each of which is a function of its own, with its own checks, hints, and test.
// The last step puts the functions together, and the trials of the ladder judge it. A topic without steps has
// a single one, which these trials judge.

#include <functional>
#include <string>
#include <vector>

#include "core/trial.hpp"

namespace rung {

struct ExerciseStep {
  std::string title = {};               // "softmax"
  std::string task = {};                // what to write, as a sentence: "Write my_softmax(): ..."
  int lines = 0;                        // the approximate length of a solution; 0 if it is not known
  std::vector<std::string> hints = {};  // from a question to nearly the answer
  /// Checks of this step's own function. Each is judged once, as the rung `mine` with one thread.
  std::function<std::vector<Trial>()> checks = {};
  /// Whether the trials of the ladder judge this step, too, each with one thread and with two.
  bool ladder = false;
};

/// How far a learner's step is.
struct ExerciseStepResult {
  Verdict::Status status = Verdict::Status::passed;  // passed, failed or not_started
  int passed = 0;                                    // checks that passed before the first that did not
  std::string failure;  // if failed: the check, the index, the expected and the actual value, one per line
};

/// Returns the word for the status of a step: "passing", "failing" or "not started".
const char* step_status(Verdict::Status status);
/// Returns a check of a step: body(name) calls the learner's function and compares. It may throw, as judged()
/// allows.
Trial step_check(std::string name, std::function<Verdict(const std::string& name)> body);

/// Judges one step of `mine`. Stops at the first check that does not pass. Calls begin(name) before each
/// check, so that the caller can say which one did not end.
ExerciseStepResult judge_step(const ExerciseStep& step, const std::vector<Trial>& ladder_trials,
                              const std::function<void(const std::string& check)>& begin);

}  // namespace rung
