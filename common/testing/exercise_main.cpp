// Judges the learner's rung of one topic (compiled once per topic, see cmake/rung_topic.cmake).
//
//   NAME_exercise             judges all steps of the exercise (core/exercise_steps.hpp)
//   NAME_exercise --step N    judges one step
//   NAME_exercise --json      prints one JSON object per step and goal instead of sentences
//   NAME_exercise --report FILE   writes these objects to a file, apart from what the learner's code prints
//
// Exit status: 0 every judged step passed, 1 one failed (it is printed), 77 something is not started. If all
// steps pass, the rung is compared with the goals of its ladder (core/goal.hpp). This changes what is printed
// and not the exit status.
//
// A check ends after 30 seconds, because there may be an endless loop in it. If it does not end or crashes,
// the program prints its name.

#include <fcntl.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "core/printable.hpp"
#include "core/registry.hpp"
#include "core/waiting.hpp"

namespace rung::RUNG_TOPIC {
void register_rungs(Registry& registry);
}

namespace {

using Json = nlohmann::ordered_json;

constexpr int kSeconds = 30;  // of a check; a correct rung takes a few

// What a signal handler may read.
char check_name[256] = "none yet";
char step_title[256] = "";
volatile std::sig_atomic_t step_number = 0;  // 0: all steps passed, and a goal is being counted
volatile std::sig_atomic_t json_lines = 0;
int verdicts = STDOUT_FILENO;  // the file that the verdicts go to

void say(const char* text) { static_cast<void>(!write(verdicts, text, std::strlen(text))); }

/// Prints how the check in progress ended. Calls only functions that a signal handler may call.
void say_end(const char* how) {
  if (json_lines != 0) {
    const char digit[2] = {static_cast<char>('0' + step_number % 10), '\0'};
    say("{\"step\": ");
    say(digit);
    say(", \"status\": \"failing\", \"passed\": 0, \"failure\": \"trial:     ");
    say(check_name);
    say("\\nactual:    ");
    say(how);
    say("\\n\"}\n");
    return;
  }
  if (step_number == 0) {
    say("correct, not yet good: ");
    say(check_name);
    say(": ");
  } else {
    say(step_title);
    say("FAILED\ntrial:     ");
    say(check_name);
    say("\nactual:    ");
  }
  say(how);
  say("\n");
}

void on_signal(int number) {
  say_end(number == SIGALRM ? "no end after 30 seconds; is there a loop that does not end?" : "it crashed");
  if (step_number == 0) _exit(0);
  if (number == SIGALRM) _exit(1);
  signal(number, SIG_DFL);
  raise(number);  // a debugger and the exit status see which signal it was
}

void watch() {
  for (const int number : {SIGALRM, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}) signal(number, on_signal);
}

/// Copies a text for the signal handler, which prints it into a JSON string.
template <std::size_t size>
void keep(char (&to)[size], std::string text) {
  for (char& c : text) {
    if (c == '"' || c == '\\' || c == '\n') c = '\'';
  }
  to[text.copy(to, size - 1)] = '\0';
}

void begin(const std::string& name) {
  keep(check_name, name);
  const itimerval limit{{0, 0}, {kSeconds, 0}};
  setitimer(ITIMER_REAL, &limit, nullptr);
}

void print_json(const Json& json) {
  std::fflush(stdout);  // what the learner's code printed before
  say((json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n").c_str());
}

void print_goals(const rung::LadderBase& ladder) {
  step_number = 0;
  for (const rung::Goal& goal : ladder.goals()) {
    begin(goal.what);
    const rung::GoalResult result = rung::judge_goal(goal, "mine");
    if (json_lines != 0) {
      print_json({{"goal", goal.what}, {"good", result.good}, {"sentence", result.sentence(goal)}});
    } else {
      std::printf("%s\n", result.sentence(goal).c_str());
    }
    std::fflush(stdout);
  }
}

void print_step(int number, const std::string& title, const rung::ExerciseStep& step,
                const rung::ExerciseStepResult& result) {
  using Status = rung::Verdict::Status;
  if (json_lines != 0) {
    print_json({{"step", number},
                {"title", step.title},
                {"status", rung::step_status(result.status)},
                {"passed", result.passed},
                {"failure", result.failure},
                {"task", step.task},
                {"lines", step.lines}});
  } else if (result.status == Status::not_started) {
    std::printf("%snot started. %s%s\n", title.c_str(), step.task.c_str(),
                step.lines > 0 ? (" About " + std::to_string(step.lines) + " lines.").c_str() : "");
  } else if (result.status == Status::failed) {
    std::printf("%sFAILED, %s passed before\n%s", title.c_str(),
                rung::counted(result.passed, "check").c_str(), result.failure.c_str());
  } else {
    std::printf("%spassed, %s\n", title.c_str(), rung::counted(result.passed, "check").c_str());
  }
  std::fflush(stdout);
}

/// Returns the exit status.
int judge(const rung::LadderBase& ladder, int only) {
  using Status = rung::Verdict::Status;
  const std::vector<rung::ExerciseStep> steps = ladder.steps();
  if (only < 0 || only > static_cast<int>(steps.size())) {
    std::printf("there is no step %d; the exercise has the steps 1 to %zu\n", only, steps.size());
    return 2;
  }
  bool complete = true;
  for (int number = 1; number <= static_cast<int>(steps.size()); ++number) {
    if (only != 0 && number != only) continue;
    const rung::ExerciseStep& step = steps[static_cast<std::size_t>(number) - 1];
    std::string title;
    if (steps.size() > 1)
      title =
          "step " + std::to_string(number) + " of " + std::to_string(steps.size()) + ", " + step.title + ": ";
    keep(step_title, title);
    step_number = number;
    const std::vector<rung::Trial> trials = step.ladder ? ladder.trials() : std::vector<rung::Trial>{};
    const rung::ExerciseStepResult result = rung::judge_step(step, trials, begin);
    print_step(number, title, step, result);
    if (result.status == Status::failed) return 1;
    complete = complete && result.status == Status::passed;
  }
  if (!complete) return 77;
  if (only == 0 || only == static_cast<int>(steps.size())) print_goals(ladder);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  rung::choose_waiting(argv);
  int only = 0;
  for (int i = 1; i < argc; ++i) {
    const std::string option = argv[i];
    if (option == "--json") {
      json_lines = 1;
    } else if (option == "--report" && i + 1 < argc) {
      json_lines = 1;
      verdicts = open(argv[++i], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
      if (verdicts < 0) {
        std::printf("cannot write %s: %s\n", argv[i], std::strerror(errno));
        return 2;
      }
    } else if (option == "--step" && i + 1 < argc) {
      only = std::atoi(argv[++i]);
    } else {
      std::printf("unknown option %s; there are --step N, --json and --report FILE\n", argv[i]);
      return 2;
    }
  }
  rung::Registry registry;
  rung::RUNG_TOPIC::register_rungs(registry);
  const rung::LadderBase& ladder = registry.find(RUNG_SEAM);
  const std::string& source = ladder.info("mine").source;
  if (rung::newer_than_program(std::string(RUNG_SOURCE_DIR) + "/" + source)) {
    std::printf("FAILED: %s was edited after this program was built; build it first: rung exercises %s\n",
                source.c_str(), RUNG_TOPIC_NAME);
    return 1;
  }
  watch();
  return judge(ladder, only);
}
