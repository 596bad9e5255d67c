#include "cli/exercise_list.hpp"

#include <algorithm>
#include <fstream>

#include "catalog/variants.hpp"

namespace rung::cli {
namespace {

namespace fs = std::filesystem;

/// The list of lessons; empty if this program runs without its source tree.
Json lessons() {
  std::ifstream in(source_tree() / "docs/lessons.json");
  Json list = Json::parse(in, nullptr, false);
  return list.is_array() ? list : Json::array();
}

}  // namespace

fs::path source_tree() { return RUNG_SOURCE_DIR; }
fs::path build_folder() { return RUNG_BINARY_DIR; }

std::vector<Exercise> all_exercises() {
  std::vector<Exercise> all;
  for (const LadderBase* ladder : variants().all()) {
    for (const RungInfo& rung : ladder->rungs()) {
      if (rung.exercise) all.push_back({ladder, rung.source, "", ""});
    }
  }
  std::sort(all.begin(), all.end(), [](const Exercise& a, const Exercise& b) { return a.source < b.source; });
  const Json list = lessons();
  const auto place = [&](const Exercise& exercise) {
    const std::string file = (exercise.source.parent_path() / "README.md").string();
    return std::find_if(list.begin(), list.end(), [&](const Json& lesson) { return lesson["file"] == file; });
  };
  for (Exercise& exercise : all) {
    const auto lesson = place(exercise);
    if (lesson == list.end()) continue;
    exercise.lesson = (*lesson)["number"].get<std::string>() + " " + (*lesson)["title"].get<std::string>();
    exercise.lesson_file = (*lesson)["file"].get<std::string>();
  }
  std::stable_sort(all.begin(), all.end(),
                   [&](const Exercise& a, const Exercise& b) { return place(a) - place(b) < 0; });
  return all;
}

Exercise find_exercise(const std::string& name) {
  for (Exercise& exercise : all_exercises()) {
    if (exercise.topic() == name || exercise.ladder->seam() == name) return std::move(exercise);
  }
  fail_usage("there is no exercise '{}'; choose one of: {}", name, exercise_names());
}

std::string exercise_names() {
  std::string names;
  for (const Exercise& exercise : all_exercises()) names += (names.empty() ? "" : ", ") + exercise.topic();
  return names;
}

std::string ExerciseVerdict::status() const {
  if (!problem.empty()) return "failing";
  const auto count = [&](const char* status) {
    return std::count_if(steps.begin(), steps.end(),
                         [&](const StepVerdict& s) { return s.status == status; });
  };
  if (count("failing") > 0) return "failing";
  if (count("passing") == static_cast<std::ptrdiff_t>(steps.size())) return "passing";
  return count("passing") == 0 ? "not started" : "in progress";
}

std::string ExerciseVerdict::tier() const {
  if (status() != "passing") return "";
  const bool good = std::all_of(goals.begin(), goals.end(), [](const GoalVerdict& g) { return g.good; });
  return good && !goals.empty() ? "good" : "correct";
}

int ExerciseVerdict::next_step() const {
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (steps[i].status != "passing") return static_cast<int>(i) + 1;
  }
  return 0;
}

}  // namespace rung::cli
