#pragma once
// The exercises of the house: where their files are, which lessons they belong to, and the typed verdict on
// one of them.

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "cli/cli.hpp"
#include "core/exercise_steps.hpp"
#include "core/registry.hpp"

namespace rung::cli {

struct Exercise {
  const LadderBase* ladder = nullptr;
  std::filesystem::path source;  // 03_techniques/attention/mine.cpp
  std::string lesson;            // "3.3 Attention"; empty if docs/lessons.json does not list it
  std::string lesson_file;       // 03_techniques/attention/README.md

  std::string chapter() const { return source.begin()->string(); }
  std::string topic() const { return source.parent_path().filename().string(); }
};

/// The source tree that this program was built from, and the folder that it was built in.
std::filesystem::path source_tree();
std::filesystem::path build_folder();

/// Returns every exercise, in the order of the lessons.
std::vector<Exercise> all_exercises();
/// Returns the exercise of a topic or a seam. Throws UsageError that lists the known names.
Exercise find_exercise(const std::string& name);
/// Returns the names of all topics with an exercise, separated by commas.
std::string exercise_names();

struct StepVerdict {
  std::string title;
  std::string status = "not started";  // or "failing" or "passing"
  int passed = 0;                      // checks
  std::string failure;                 // its lines
};

struct GoalVerdict {
  std::string what, sentence;
  bool good = false;
};

/// What the judge says about one exercise.
struct ExerciseVerdict {
  std::vector<StepVerdict> steps;
  std::vector<GoalVerdict> goals;  // counted only if all steps pass
  std::string problem;             // why there is no verdict, for example the output of a failed build
  std::string printed;             // what the learner's code printed while it was judged

  /// "not started", "in progress", "failing" or "passing".
  std::string status() const;
  /// "good" if there are goals and all of them are reached, "correct" if all steps pass, "" otherwise.
  std::string tier() const;
  /// The number of the first step that does not pass, from 1; 0 if all pass.
  int next_step() const;
};

/// Builds the exercise's own judge and runs it. `what_happens` is called with a line of text before something
/// that takes seconds.
ExerciseVerdict build_and_judge(const Exercise& exercise,
                                const std::function<void(const std::string& line)>& what_happens);

/// Runs the exercise's own judge as it was built last. Empty if the learner's file is newer than that judge.
std::optional<ExerciseVerdict> judge_as_built(const Exercise& exercise);

/// Prints what to do for the first step that does not pass.
void print_next(const Exercise& exercise, const ExerciseVerdict& verdict);
/// Prints the steps, the goals, and what to do next.
void print_verdict(const Exercise& exercise, const ExerciseVerdict& verdict);

/// Prints the next hint of the step that does not pass yet. The number of hints that were shown is kept in
/// the build folder.
void print_hint(const Exercise& exercise, const ExerciseVerdict& verdict);

/// Writes a report in the format of JUnit, with one test case per step.
void write_junit(const std::string& path, const std::vector<std::pair<Exercise, ExerciseVerdict>>& verdicts);

}  // namespace rung::cli
