// rung exercises: shows the state of all exercises, or judges one exercise. Every step of a `mine` rung is
// judged in a child process, so that a crash in one step is reported and does not end the program.

#include <algorithm>
#include <filesystem>
#include <thread>

#include "cli/exercise_list.hpp"
#include "core/parallel.hpp"

namespace rung::cli {
namespace {

namespace fs = std::filesystem;

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

constexpr double kSeconds = 30;  // for judging a step, and as much for timing it

/// Judges the steps of `mine` as it was when this program was built. Stops at the first step that fails.
ExerciseVerdict judge_steps(const LadderBase& ladder) {
  ExerciseVerdict verdict;
  for (const ExerciseStep& step : ladder.steps()) {
    StepVerdict judged{step.title, "not started", 0, ""};
    if (verdict.status() != "failing") {
      const ChildResult child = run_in_child(
          [&](const Begin& begin) {
            const std::vector<Trial> trials = step.ladder ? ladder.trials() : std::vector<Trial>{};
            const ExerciseStepResult result = judge_step(step, trials, begin);
            return dump_json({{"status", step_status(result.status)},
                              {"passed", result.passed},
                              {"failure", result.failure}});
          },
          kSeconds);
      check_interrupted();
      if (child.failure.empty()) {
        const Json result = Json::parse(child.output);
        judged.status = result["status"];
        judged.passed = result["passed"];
        judged.failure = result["failure"];
      } else {
        judged.status = "failing";
        judged.failure = mismatch_line(kTrialLine, child.begun) + mismatch_line(kActualLine, child.failure);
      }
    }
    verdict.steps.push_back(std::move(judged));
  }
  return verdict;
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

/// The verdict as JSON: the fields of the board's rows that follow from it.
Json verdict_json(const Exercise& exercise, const ExerciseVerdict& verdict) {
  Json steps = Json::array();
  int passed = 0;
  std::string message = verdict.problem;
  const std::vector<ExerciseStep> described = exercise.ladder->steps();
  for (std::size_t i = 0; i < verdict.steps.size(); ++i) {
    const StepVerdict& step = verdict.steps[i];
    passed += step.passed;
    message += step.failure;
    steps.push_back({{"title", step.title},
                     {"status", step.status},
                     {"checks_passed", step.passed},
                     {"failure", step.failure},
                     {"task", described[i].task},
                     {"lines", described[i].lines}});
  }
  const std::string tier = verdict.tier();
  return {{"exercise", exercise.topic()},
          {"seam", exercise.ladder->seam()},
          {"chapter", exercise.chapter()},
          {"lesson", exercise.lesson},
          {"source", exercise.source.string()},
          {"status", verdict.status()},
          {"message", message},
          {"printed", verdict.printed},
          {"trials_passed", passed},
          {"steps", steps},
          {"tier", tier.empty() ? Json() : Json(tier)}};
}

struct ExercisesCommand {
  std::string name, reset, junit;
  bool next = false, hint = false, watch = false;

  void run(bool json) const {
    if (!reset.empty()) return restore(json);
    if (next) return first_unfinished(json);
    if (is_chapter()) {
      if (hint || watch)
        fail_usage("--hint and --watch need the name of one exercise; choose one of: {}", exercise_names());
      return board(json);
    }
    one(find_exercise(name), json);
  }

 private:
  bool is_chapter() const {
    if (name.empty() || std::isdigit(static_cast<unsigned char>(name.front())) != 0) return true;
    return name.starts_with("chapter");
  }

  /// Builds and judges one exercise. Throws Error if a step fails, after everything was printed.
  void one(const Exercise& exercise, bool json) const {
    for (;;) {
      std::error_code ignored;
      const auto written = fs::last_write_time(source_tree() / exercise.source, ignored);
      const ExerciseVerdict verdict = build_and_judge(
          exercise, [&](const std::string& line) { tell("{}: {}\n", exercise.topic(), line); });
      if (!junit.empty()) write_junit(junit, {{exercise, verdict}});
      if (json) {
        Json row = verdict_json(exercise, verdict);
        row["goals"] = goals_json(verdict);
        print_json(row);
      } else if (hint) {
        print_hint(exercise, verdict);
      } else {
        print_verdict(exercise, verdict);
      }
      if (!watch) {
        if (verdict.status() == "failing" && !hint) fail("the exercise {} does not pass", exercise.topic());
        return;
      }
      std::fflush(stdout);
      tell("{} is judged again whenever {} is saved; Ctrl-C ends\n", exercise.topic(),
           exercise.source.string());
      constexpr std::chrono::milliseconds kLook{200};
      while (fs::last_write_time(source_tree() / exercise.source, ignored) == written) {
        std::this_thread::sleep_for(kLook);
        check_interrupted();
      }
    }
  }

  /// Names the first step, in the order of the lessons, that does not pass.
  void first_unfinished(bool json) const {
    for (const Exercise& exercise : all_exercises()) {
      if (!name.empty() && !(is_chapter() ? matches(exercise) : exercise.topic() == name)) continue;
      const bool edited = newer_than_program((source_tree() / exercise.source).string());
      const ExerciseVerdict verdict =
          edited ? build_and_judge(exercise, [](const std::string&) {}) : judge_steps(*exercise.ladder);
      if (verdict.status() == "passing") continue;
      if (json) return print_json(verdict_json(exercise, verdict));
      if (!verdict.problem.empty() || verdict.status() == "failing") return print_verdict(exercise, verdict);
      return print_next(exercise, verdict);
    }
    if (json) return print_json(Json());
    fmt::print("every exercise passes\n");
  }

  static Json goals_json(const ExerciseVerdict& verdict) {
    Json goals = Json::array();
    for (const GoalVerdict& goal : verdict.goals)
      goals.push_back({{"what", goal.what}, {"good", goal.good}, {"sentence", goal.sentence}});
    return goals;
  }

  void board(bool json) const {
    Json rows = Json::array();
    std::vector<std::pair<Exercise, ExerciseVerdict>> verdicts;
    for (const Exercise& exercise : all_exercises()) {
      if (!name.empty() && !matches(exercise)) continue;
      // This program has the file as it was at the last ./run.sh; the exercise's own judge may be newer.
      const bool edited = newer_than_program((source_tree() / exercise.source).string());
      const std::optional<ExerciseVerdict> newer = edited ? judge_as_built(exercise) : std::nullopt;
      const ExerciseVerdict verdict = newer ? *newer : judge_steps(*exercise.ladder);
      Json row = verdict_json(exercise, verdict);
      row["goals"] = newer ? goals_json(verdict) : Json::array();
      if (!edited && verdict.status() == "passing") {
        row.update(tier_of(*exercise.ladder));
        const OtherLoad others;
        const ChildResult timed =
            run_in_child([&](const Begin&) { return dump_json(speed_of_best(*exercise.ladder)); }, kSeconds);
        if (Json speed = Json::parse(timed.output, nullptr, false); speed.is_object()) {
          speed["other_load"] = others.processors();
          speed["note"] = others.note();
          row["speed_of_best"] = speed;
        }
      }
      row["edited"] = edited && !newer;
      if (!json) print(row);
      rows.push_back(std::move(row));
      verdicts.emplace_back(exercise, verdict);
      check_interrupted();
    }
    if (rows.empty()) fail_usage("there is no exercise in chapter '{}'; choose one of: {}", name, chapters());
    if (!junit.empty()) write_junit(junit, verdicts);
    if (json) print_json(rows);
  }

  // "3", "03" and "03_techniques" all name chapter 3.
  bool matches(const Exercise& exercise) const {
    const std::string folder = exercise.chapter();
    return folder == name || folder.substr(0, 2) == name || folder.substr(1, 1) == name ||
           "chapter" + folder.substr(0, 2) == name;
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
    std::string status = row[row["tier"].is_null() ? "status" : "tier"];
    const auto passed = std::count_if(row["steps"].begin(), row["steps"].end(),
                                      [](const Json& step) { return step["status"] == "passing"; });
    if (row["tier"].is_null() && passed > 0)
      status = fmt::format("{} of {} steps", passed, row["steps"].size());
    if (row["edited"].get<bool>()) status = "edited";
    fmt::print("{:<20} {:<14} {}", row["exercise"].get<std::string>(), status,
               row["source"].get<std::string>());
    for (const Json& goal : row["goals"]) fmt::print("\n{:<20} {}", "", goal["sentence"].get<std::string>());
    if (row.contains("speed_of_best")) {
      const Json& speed = row["speed_of_best"];
      fmt::print("\n{:<20} {:.2f} times the speed of {}, the last rung of this ladder ({})", "",
                 speed["factor"].get<double>(), speed["best"].get<std::string>(),
                 speed["trial"].get<std::string>());
      if (const std::string note = speed["note"]; !note.empty()) fmt::print("\n{:<20} {}", "", note);
    }
    if (row["edited"].get<bool>())
      fmt::print("\n{:<20} not judged since it was edited; rung exercises {} builds and judges it", "",
                 row["exercise"].get<std::string>());
    for (const Json& step : row["steps"]) {
      const std::string failure = step["failure"];
      for (std::size_t begin = 0, end = 0; begin < failure.size(); begin = end + 1) {
        end = std::min(failure.find('\n', begin), failure.size());
        fmt::print("\n{:<20} {}", "", failure.substr(begin, end - begin));
      }
    }
    fmt::print("\n");
  }

  // The stub comes back; what the learner wrote stays beside it.
  void restore(bool json) const {
    const Exercise exercise = find_exercise(reset);
    const fs::path stub = source_tree() / "cmake/exercises" / exercise.topic() / "stub.cpp";
    const fs::path target = source_tree() / exercise.source;
    if (!fs::exists(stub))
      fail("the stub {} is missing; restore it with: git checkout -- {}", stub.string(), stub.string());
    fs::path kept = target;
    for (int i = 1; fs::exists(kept); ++i) kept = target.parent_path() / fmt::format("mine.cpp.{}.bak", i);
    fs::copy_file(target, kept);
    fs::copy_file(stub, target, fs::copy_options::overwrite_existing);
    if (json) return print_json({{"restored", target.string()}, {"kept", kept.string()}});
    fmt::print("{} is the stub again. Your version is in {}.\n", target.string(), kept.string());
  }
};

}  // namespace

void add_exercises(Command& app, Program& program) {
  Command* command = add_command(app, program, "exercises",
                                 "show the state of all exercises, or build and judge one of them");
  const auto state = std::make_shared<ExercisesCommand>();
  command->add_option("name", state->name,
                      "exercise to build and judge, such as attention, or chapter whose exercises to show, "
                      "such as 3 or 03_techniques (default: show all)");
  command->add_flag("--next", state->next, "show the first step that does not pass yet, and its lesson");
  command->add_flag("--hint", state->hint, "show the next hint for this exercise");
  command->add_flag("--watch", state->watch,
                    "build and judge this exercise again whenever its file is saved");
  command->add_option("--junit", state->junit, "also write the results to this file in JUnit's XML format");
  command->add_option("--reset", state->reset,
                      "restore the stub of this exercise and keep your version next to it");
  command->callback([&program, state] { program.run = [&program, state] { state->run(program.json); }; });
}

}  // namespace rung::cli
