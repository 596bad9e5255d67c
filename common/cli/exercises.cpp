// rung exercises: the learner's board. Every `mine` rung is judged in a child process of its own, so that a
// crash in one is a line on the board and not the end of it.

#include <algorithm>
#include <filesystem>

#include "catalog/variants.hpp"
#include "cli/cli.hpp"
#include "core/parallel.hpp"

namespace rung::cli {
namespace {

namespace fs = std::filesystem;

struct Exercise {
  const LadderBase* ladder;
  fs::path source;  // 03_techniques/attention/mine.cpp
  std::string chapter() const { return source.begin()->string(); }
  std::string topic() const { return source.parent_path().filename().string(); }
};

std::vector<Exercise> all_exercises() {
  std::vector<Exercise> all;
  for (const LadderBase* ladder : variants().all()) {
    for (const RungInfo& rung : ladder->rungs()) {
      if (rung.exercise) all.push_back({ladder, rung.source});
    }
  }
  std::sort(all.begin(), all.end(), [](const Exercise& a, const Exercise& b) { return a.source < b.source; });
  return all;
}

double median_seconds(const std::function<void()>& call) {
  call();
  std::vector<double> seconds;
  for (int i = 0; i < 5; ++i) {
    const Timer timer;
    call();
    seconds.push_back(timer.seconds());
  }
  std::sort(seconds.begin(), seconds.end());
  return seconds[2];
}

constexpr double kSeconds = 30;  // for judging an exercise, and as much for timing it

/// Judges `mine` on every trial, and says which one it begins.
Json judge(const LadderBase& ladder, const Begin& begin) {
  Json result = {{"status", "passing"}, {"message", ""}, {"trials_passed", 0}};
  const std::vector<Trial> trials = ladder.trials();
  int passed = 0;
  for (const Trial& trial : trials) {
    for (const int threads : {1, 2}) {
      begin(fmt::format("{}, {} thread{}", trial.name, threads, threads == 1 ? "" : "s"));
      const Verdict verdict = trial.judge("mine", threads);
      if (verdict.status == Verdict::Status::not_started)
        return {{"status", "not started"}, {"message", ""}, {"trials_passed", 0}};
      if (verdict.status == Verdict::Status::failed) {
        return {{"status", "failing"}, {"message", verdict.message}, {"trials_passed", passed}};
      }
      passed += verdict.status == Verdict::Status::passed;
    }
  }
  result["trials_passed"] = passed;
  return result;
}

/// Holds a `mine` that passed its trials against one goal of its ladder.
Json judge_row(const Goal& goal) {
  const GoalResult result = judge_goal(goal, "mine");
  const Json mine = result.failure.empty() ? Json(result.mine) : Json();
  return {{"mine", mine},
          {"of_rung", result.of_rung},
          {"limit", result.limit},
          {"good", result.good},
          {"sentence", result.sentence(goal)}};
}

/// The goals, each in a child process: what `mine` does wrong there must not end the board. The tier is
/// "good" where there are goals and all of them are reached, else "correct".
Json tier_of(const LadderBase& ladder) {
  Json rows = Json::array();
  bool good = true;
  for (const Goal& goal : ladder.goals()) {
    Json row = {{"what", goal.what},  {"unit", goal.unit}, {"rung", goal.rung}, {"mine", nullptr},
                {"of_rung", nullptr}, {"limit", nullptr},  {"good", false}};
    const ChildResult child =
        run_in_child([&](const Begin&) { return dump_json(judge_row(goal)); }, kSeconds);
    check_interrupted();
    GoalResult ended;
    ended.failure = child.failure;
    row["sentence"] = ended.sentence(goal);
    if (child.failure.empty()) row.update(Json::parse(child.output));
    good = good && row["good"].get<bool>();
    rows.push_back(std::move(row));
  }
  return {{"tier", good && !rows.empty() ? "good" : "correct"}, {"goals", rows}};
}

/// Times `mine` against the top rung on the first timed trial that both support. Null where there is none.
Json speed_of_best(const LadderBase& ladder) {
  for (const Trial& trial : ladder.trials()) {
    if (!trial.timed || trial.judge("mine", 1).status != Verdict::Status::passed) continue;
    for (auto best = ladder.rungs().rbegin(); best != ladder.rungs().rend(); ++best) {
      if (best->exercise || trial.judge(best->name, 1).status != Verdict::Status::passed) continue;
      const double top = median_seconds(trial.prepare(best->name, default_threads()));
      const double mine = median_seconds(trial.prepare("mine", default_threads()));
      return {{"trial", trial.name}, {"best", best->name}, {"factor", top / mine}};
    }
  }
  return nullptr;
}

struct ExercisesCommand {
  std::string chapter, reset;

  void board(bool json) const {
    Json rows = Json::array();
    for (const Exercise& exercise : all_exercises()) {
      if (!chapter.empty() && !matches(exercise)) continue;
      const ChildResult child = run_in_child(
          [&](const Begin& begin) { return dump_json(judge(*exercise.ladder, begin)); }, kSeconds);
      check_interrupted();
      Json verdict = {
          {"status", "failing"},
          {"message", child.begun.empty() ? child.failure
                                          : fmt::format("in trial '{}': {}", child.begun, child.failure)},
          {"trials_passed", 0}};
      if (child.failure.empty()) verdict = Json::parse(child.output);
      verdict.update(Json{{"tier", nullptr}, {"goals", Json::array()}});
      if (verdict["status"] == "passing") {
        verdict.update(tier_of(*exercise.ladder));
        const OtherLoad others;
        const ChildResult timed =
            run_in_child([&](const Begin&) { return dump_json(speed_of_best(*exercise.ladder)); }, kSeconds);
        if (Json speed = Json::parse(timed.output, nullptr, false); speed.is_object()) {
          speed["other_load"] = others.processors();
          speed["note"] = others.note();
          verdict["speed_of_best"] = speed;
        }
      }
      verdict["edited"] = newer_than_program((fs::path(RUNG_SOURCE_DIR) / exercise.source).string());
      Json row = {{"exercise", exercise.topic()},
                  {"seam", exercise.ladder->seam()},
                  {"chapter", exercise.chapter()},
                  {"source", exercise.source.string()}};
      row.update(verdict);
      if (!json) print(row);
      rows.push_back(std::move(row));
      check_interrupted();
    }
    if (rows.empty())
      fail_usage("no exercise in chapter '{}'; chapters with exercises: {}", chapter, chapters());
    if (json) print_json(rows);
  }

  // "3", "03" and "03_techniques" all name chapter 3.
  bool matches(const Exercise& exercise) const {
    const std::string folder = exercise.chapter();
    return folder == chapter || folder.substr(0, 2) == chapter || folder.substr(1, 1) == chapter ||
           "chapter" + folder.substr(0, 2) == chapter;
  }

  static std::string chapters() {
    std::string names;
    for (const Exercise& exercise : all_exercises()) {
      if (names.find(exercise.chapter()) == std::string::npos)
        names += (names.empty() ? "" : ", ") + exercise.chapter();
    }
    return names;
  }

  static void print(const Json& row) {
    const Json& status = row[row["tier"].is_null() ? "status" : "tier"];
    fmt::print("{:<14} {:<12} {}", row["exercise"].get<std::string>(), status.get<std::string>(),
               row["source"].get<std::string>());
    for (const Json& goal : row["goals"]) fmt::print("\n{:<14} {}", "", goal["sentence"].get<std::string>());
    if (row.contains("speed_of_best")) {
      const Json& speed = row["speed_of_best"];
      fmt::print("\n{:<14} {:.2f} times the speed of {} ({})", "", speed["factor"].get<double>(),
                 speed["best"].get<std::string>(), speed["trial"].get<std::string>());
      if (const std::string note = speed["note"]; !note.empty()) fmt::print("\n{:<14} {}", "", note);
    }
    if (row["edited"].get<bool>())
      fmt::print("\n{:<14} edited since this program was built; build it again to judge what is there now",
                 "");
    if (!row["message"].get<std::string>().empty())
      fmt::print("\n{:<14} {}", "", row["message"].get<std::string>());
    fmt::print("\n");
  }

  // The stub comes back; what the learner wrote stays beside it.
  void restore(bool json) const {
    const fs::path root = RUNG_SOURCE_DIR;
    std::string known;
    for (const Exercise& exercise : all_exercises()) {
      known += (known.empty() ? "" : ", ") + exercise.topic();
      if (exercise.topic() != reset && exercise.ladder->seam() != reset) continue;
      const fs::path stub = root / "cmake/exercises" / exercise.topic() / "stub.cpp";
      const fs::path target = root / exercise.source;
      if (!fs::exists(stub))
        fail("the stub {} is missing; 'git checkout -- {}' brings it back", stub.string(), stub.string());
      fs::path kept = target;
      for (int i = 1; fs::exists(kept); ++i) kept = target.parent_path() / fmt::format("mine.cpp.{}.bak", i);
      fs::copy_file(target, kept);
      fs::copy_file(stub, target, fs::copy_options::overwrite_existing);
      if (json) {
        print_json({{"restored", target.string()}, {"kept", kept.string()}});
      } else {
        fmt::print("{} is the stub again; your version is in {}. Build to use it.\n", target.string(),
                   kept.string());
      }
      return;
    }
    fail_usage("there is no exercise '{}'; known: {}", reset, known);
  }
};

}  // namespace

void add_exercises(Command& app, Program& program) {
  Command* command = add_command(app, program, "exercises",
                                 "the learner's board: what is not started, failing, correct, good");
  const auto state = std::make_shared<ExercisesCommand>();
  command->add_option("chapter", state->chapter, "one chapter only: 3 or 03_techniques");
  command->add_option("--reset", state->reset,
                      "restore the stub of an exercise (your version is kept beside it)");
  command->callback([&program, state] {
    program.run = [&program, state] {
      if (state->reset.empty()) {
        state->board(program.json);
      } else {
        state->restore(program.json);
      }
    };
  });
}

}  // namespace rung::cli
