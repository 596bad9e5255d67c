#include "core/exercise_steps.hpp"

#include <utility>

#include "core/error.hpp"
#include "core/printable.hpp"

namespace rung {
namespace {

/// The lines of a failure. A message of mismatch() names the check itself; a sentence does not.
std::string failure_text(const std::string& check, const std::string& message) {
  return message.starts_with(kTrialLine) ? message : mismatch_line(kTrialLine, check) + message;
}

}  // namespace

const char* step_status(Verdict::Status status) {
  if (status == Verdict::Status::not_started) return "not started";
  return status == Verdict::Status::failed ? "failing" : "passing";
}

Trial step_check(std::string name, std::function<Verdict(const std::string& name)> body) {
  Trial trial;
  trial.name = name;
  trial.judge = judging(
      [name = std::move(name), body = std::move(body)](const std::string&, int) { return body(name); });
  return trial;
}

ExerciseStepResult judge_step(const ExerciseStep& step, const std::vector<Trial>& ladder_trials,
                              const std::function<void(const std::string& check)>& begin) {
  ExerciseStepResult result;
  const auto passes = [&](const Trial& trial, int threads, const std::string& name) {
    begin(name);
    const Verdict verdict = trial.judge("mine", threads);
    result.passed += verdict.status == Verdict::Status::passed;
    if (verdict.status == Verdict::Status::passed || verdict.status == Verdict::Status::unsupported)
      return true;
    result.status = verdict.status;
    if (verdict.status == Verdict::Status::failed) result.failure = failure_text(name, verdict.message);
    return false;
  };
  if (step.checks) {
    for (const Trial& check : step.checks()) {
      if (!passes(check, 1, check.name)) return result;
    }
  }
  if (step.ladder) {
    for (const Trial& trial : ladder_trials) {
      for (const int threads : {1, 2}) {
        if (!passes(trial, threads, fmt::format("{}, {}", trial.name, counted(threads, "thread"))))
          return result;
      }
    }
  }
  if (result.passed == 0) {
    result.status = Verdict::Status::failed;
    result.failure = "no check supports it";
  }
  return result;
}

}  // namespace rung
