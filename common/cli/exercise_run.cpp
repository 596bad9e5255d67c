// Builds and judges one exercise in a few seconds, because it builds only the small test program of this
// exercise.

#include <sys/wait.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <sstream>

#include "cli/exercise_list.hpp"
#include "core/output_file.hpp"
#include "core/printable.hpp"

namespace rung::cli {
namespace {

namespace fs = std::filesystem;

struct Finished {
  int status = 0;  // the exit status; -1 if a signal ended it
  std::string output;
};

std::string quoted(const std::string& word) {
  std::string result = "'";
  for (const char c : word) result += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return result + "'";
}

/// Runs a shell command and returns all that it prints.
Finished run_shell(const std::string& command) {
  std::fflush(nullptr);
  std::FILE* pipe = popen((command + " 2>&1 </dev/null").c_str(), "r");
  if (pipe == nullptr) fail("cannot start '{}'", command);
  Finished finished;
  char buffer[4096];
  for (std::size_t n = 0; (n = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;)
    finished.output.append(buffer, n);
  const int status = pclose(pipe);
  finished.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  check_interrupted();
  return finished;
}

/// Reads the judge's report: one JSON object per step and goal. Returns the number of objects.
int read_report(const fs::path& report, ExerciseVerdict& verdict) {
  int objects = 0;
  std::ifstream lines(report);
  for (std::string line; std::getline(lines, line); ++objects) {
    const Json json = Json::parse(line, nullptr, false);
    if (!json.is_object()) {
      verdict.problem += line + "\n";
    } else if (json.contains("goal")) {
      verdict.goals.push_back({json["goal"], json["sentence"], json["good"]});
    } else if (const auto number = json.value("step", std::size_t{0}); number == 0) {
      verdict.goals.push_back({"", "correct, not yet good: " + json.value("failure", ""), false});
    } else if (number <= verdict.steps.size()) {
      StepVerdict& step = verdict.steps[number - 1];
      step.status = json["status"];
      step.passed = json["passed"];
      step.failure = json["failure"];
    }
  }
  return objects;
}

/// The beginning of what the learner's code printed: a loop can print without end.
std::string shortened(const std::string& text) {
  constexpr std::size_t kMost = 4000;
  if (text.size() <= kMost) return text;
  const std::size_t end = text.rfind('\n', kMost);
  return text.substr(0, end == std::string::npos ? kMost : end) +
         fmt::format("\n... ({} bytes in total)\n", text.size());
}

/// What the compiler says, without the lines in which the build tool repeats its commands.
std::string messages(const std::string& output) {
  std::istringstream lines(output);
  std::string result;
  for (std::string line; std::getline(lines, line);) {
    const bool progress = line.starts_with('[') || line.starts_with("FAILED:") ||
                          line.starts_with("ninja:") || line.starts_with("gmake") || line.starts_with("make");
    const bool command = line.starts_with('/') && line.find(" -o ") != std::string::npos;
    if (!progress && !command) result += line + "\n";
  }
  return result.empty() ? output : result;
}

std::string indented(const std::string& text, const std::string& by) {
  std::istringstream lines(text);
  std::string result;
  for (std::string line; std::getline(lines, line);) result += by + line + "\n";
  return result;
}

fs::path hints_file(const Exercise& exercise) {
  return build_folder() / "exercises" / (exercise.topic() + ".hints");
}

std::string xml(const std::string& text) {
  std::string result;
  for (const char c : text) {
    if (c == '<')
      result += "&lt;";
    else if (c == '>')
      result += "&gt;";
    else if (c == '&')
      result += "&amp;";
    else if (c == '"')
      result += "&quot;";
    else if (c == '\n' || static_cast<unsigned char>(c) >= 0x20)
      result += c;
  }
  return result;
}

std::string judge_of(const Exercise& exercise) { return exercise.topic() + "_exercise"; }

ExerciseVerdict unjudged(const Exercise& exercise) {
  ExerciseVerdict verdict;
  for (const ExerciseStep& step : exercise.ladder->steps())
    verdict.steps.push_back({step.title, "not started", 0, ""});
  return verdict;
}

/// Runs the exercise's own judge.
ExerciseVerdict run_judge(const Exercise& exercise) {
  ExerciseVerdict verdict = unjudged(exercise);
  const std::string judge = judge_of(exercise);
  const fs::path report =
      build_folder() / "exercises" / fmt::format("{}.{}.report", exercise.topic(), ::getpid());
  std::error_code ignored;
  fs::create_directories(report.parent_path(), ignored);
  const Finished judged = run_shell(fmt::format(
      "{} --report {}", quoted((build_folder() / "bin" / judge).string()), quoted(report.string())));
  const int objects = read_report(report, verdict);
  fs::remove(report, ignored);
  if (objects == 0) {
    verdict.problem += judged.output;
  } else {
    verdict.printed = shortened(judged.output);
  }
  const bool ended = judged.status == 0 || judged.status == 1 || judged.status == 77;
  if (!ended && verdict.status() != "failing")
    verdict.problem += fmt::format("the test program {} ended with status {}\n", judge, judged.status);
  return verdict;
}

}  // namespace

std::optional<ExerciseVerdict> judge_as_built(const Exercise& exercise) {
  std::error_code unknown;
  const auto written = fs::last_write_time(source_tree() / exercise.source, unknown);
  if (unknown) return std::nullopt;
  const auto built = fs::last_write_time(build_folder() / "bin" / judge_of(exercise), unknown);
  if (unknown || built < written) return std::nullopt;
  return run_judge(exercise);
}

ExerciseVerdict build_and_judge(const Exercise& exercise,
                                const std::function<void(const std::string& line)>& what_happens) {
  const std::string target = judge_of(exercise);
  if (!fs::exists(build_folder() / "CMakeCache.txt") || !fs::exists(source_tree() / exercise.source)) {
    fail(
        "the source tree {} or its build folder {} is missing, but both are needed to build an exercise; "
        "restore the tree, or run ./run.sh in it to build again",
        source_tree().string(), build_folder().string());
  }
  what_happens(fmt::format("building {} ...", target));
  const Finished built =
      run_shell(fmt::format("cmake --build {} --target {}", quoted(build_folder().string()), target));
  if (built.status != 0) {
    ExerciseVerdict verdict = unjudged(exercise);
    verdict.problem =
        fmt::format("{} does not compile:\n{}", exercise.source.string(), shortened(messages(built.output)));
    return verdict;
  }
  what_happens("judging ...");
  return run_judge(exercise);
}

void print_next(const Exercise& exercise, const ExerciseVerdict& verdict) {
  const int next = verdict.next_step();
  if (next == 0) {
    fmt::print("{}: every step passes{}\n", exercise.topic(),
               verdict.tier() == "good" || verdict.goals.empty() ? "" : "; the goals are what is left");
    return;
  }
  const std::vector<ExerciseStep> steps = exercise.ladder->steps();
  const ExerciseStep& step = steps[static_cast<std::size_t>(next) - 1];
  fmt::print("next: {}step {} of {}, {}. {}{}\n", exercise.topic() + ", ", next, steps.size(), step.title,
             step.task, step.lines > 0 ? fmt::format(" About {} lines.", step.lines) : "");
  if (!exercise.lesson.empty()) fmt::print("      lesson {}: {}\n", exercise.lesson, exercise.lesson_file);
  fmt::print("      file: {}\n      judge: rung exercises {}", exercise.source.string(), exercise.topic());
  fmt::print("{}\n",
             step.hints.empty() ? "" : fmt::format("    hint: rung exercises {} --hint", exercise.topic()));
}

void print_verdict(const Exercise& exercise, const ExerciseVerdict& verdict) {
  const std::string tier = verdict.tier();
  int passed = 0;
  for (const StepVerdict& step : verdict.steps) passed += step.passed;
  fmt::print("{}: {}", exercise.topic(), tier.empty() ? verdict.status() : tier);
  if (passed > 0) fmt::print(", {} passed in total", counted(passed, "check"));
  fmt::print("\n");
  if (!verdict.printed.empty()) fmt::print("  printed:\n{}", indented(verdict.printed, "     "));
  if (!verdict.problem.empty()) {
    fmt::print("{}", verdict.problem);
    return;
  }
  int number = 0;
  for (const StepVerdict& step : verdict.steps) {
    fmt::print("  {}. {:<24} {}", ++number, step.title, step.status);
    if (step.passed > 0) fmt::print(", {} passed", counted(step.passed, "check"));
    fmt::print("\n{}", indented(step.failure, "     "));
  }
  for (const GoalVerdict& goal : verdict.goals) fmt::print("  {}\n", goal.sentence);
  print_next(exercise, verdict);
}

void print_hint(const Exercise& exercise, const ExerciseVerdict& verdict) {
  const int next = verdict.next_step();
  if (next == 0) return print_next(exercise, verdict);
  const ExerciseStep step = exercise.ladder->steps()[static_cast<std::size_t>(next) - 1];
  if (step.hints.empty()) {
    fmt::print("step {}, {}, has no hints; the lesson {} explains it\n", next, step.title,
               exercise.lesson_file);
    return;
  }
  // The file says which step hints were shown for, and how many.
  int shown_step = 0;
  std::size_t shown = 0;
  const fs::path file = hints_file(exercise);
  std::ifstream(file) >> shown_step >> shown;
  if (shown_step != next) shown = 0;
  shown = std::min(shown, step.hints.size() - 1);
  fmt::print("step {}, {}, hint {} of {}: {}\n", next, step.title, shown + 1, step.hints.size(),
             step.hints[shown]);
  std::error_code ignored;
  fs::create_directories(file.parent_path(), ignored);
  std::ofstream(file) << next << ' ' << shown + 1 << '\n';
}

void write_junit(const std::string& path, const std::vector<std::pair<Exercise, ExerciseVerdict>>& verdicts) {
  std::string suites;
  for (const auto& [exercise, verdict] : verdicts) {
    int failures = 0, skipped = 0;
    std::string cases;
    int number = 0;
    for (const StepVerdict& step : verdict.steps) {
      const bool failing = step.status == "failing" || !verdict.problem.empty();
      const bool not_started = !failing && step.status == "not started";
      failures += failing;
      skipped += not_started;
      cases += fmt::format("    <testcase classname=\"rung.{}\" name=\"step {}: {}\">", xml(exercise.topic()),
                           ++number, xml(step.title));
      if (failing) {
        cases += fmt::format("<failure message=\"wrong answer\">{}</failure>",
                             xml(verdict.problem.empty() ? step.failure : verdict.problem));
      } else if (not_started) {
        cases += "<skipped message=\"not started\"/>";
      }
      cases += "</testcase>\n";
    }
    suites += fmt::format(
        "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" skipped=\"{}\">\n{}  </testsuite>\n",
        xml(exercise.topic()), verdict.steps.size(), failures, skipped, cases);
  }
  OutputFile file(path);
  file.write(
      fmt::format("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n{}</testsuites>\n", suites));
  file.commit(OutputFile::Durable::no);
}

}  // namespace rung::cli
