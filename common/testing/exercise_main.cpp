// Judges the learner's rung of one topic (compiled once per topic, see cmake/rung_topic.cmake).
// Exit status: 0 every trial passed, 1 one failed (it is printed), 77 not started. A rung that passes is held
// against the goals of its ladder (core/goal.hpp), which changes what is printed and not the exit status.
//
// A trial ends after 30 seconds, for there may be an endless loop in it; a crash is told: either names the
// trial that it happened in.

#include <sys/time.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstring>
#include <string>

#include "core/error.hpp"
#include "core/registry.hpp"
#include "core/waiting.hpp"

namespace rung::RUNG_TOPIC {
void register_rungs(Registry& registry);
}

namespace {

constexpr int kSeconds = 30;  // of a trial; a rung that is right takes a few

// What a signal handler may read.
char trial_name[256] = "none yet";
volatile std::sig_atomic_t passed_trials = 0;  // 1: all of them, and it is a goal that is counted

void say(const char* text) { static_cast<void>(!write(STDOUT_FILENO, text, std::strlen(text))); }

void on_signal(int number) {
  if (passed_trials != 0) {
    say("correct, not yet good: ");
    say(trial_name);
    say(number == SIGALRM ? ": no end after 30 seconds\n" : ": it crashed\n");
    _exit(0);
  }
  say(number == SIGALRM ? "FAILED: no end after 30 seconds, in trial '" : "FAILED: it crashed, in trial '");
  say(trial_name);
  say(number == SIGALRM ? "'; is there a loop that does not end?\n" : "'\n");
  if (number == SIGALRM) _exit(1);
  signal(number, SIG_DFL);
  raise(number);  // a debugger and the exit status see what it was
}

void watch() {
  for (const int number : {SIGALRM, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}) signal(number, on_signal);
}

void begin(const std::string& name) {
  trial_name[name.copy(trial_name, sizeof trial_name - 1)] = '\0';
  const itimerval limit{{0, 0}, {kSeconds, 0}};
  setitimer(ITIMER_REAL, &limit, nullptr);
}

void print_goals(const rung::LadderBase& ladder) {
  for (const rung::Goal& goal : ladder.goals()) {
    begin(goal.what);
    std::printf("%s\n", rung::judge_goal(goal, "mine").sentence(goal).c_str());
    std::fflush(stdout);
  }
}

}  // namespace

int main(int, char** argv) {
  using rung::Verdict;
  rung::choose_waiting(argv);
  rung::Registry registry;
  rung::RUNG_TOPIC::register_rungs(registry);
  const rung::LadderBase& ladder = registry.find(RUNG_SEAM);
  const std::string& source = ladder.info("mine").source;
  if (rung::newer_than_program(std::string(RUNG_SOURCE_DIR) + "/" + source)) {
    std::printf(
        "FAILED: %s was edited after this program was built; build it first: ./test.sh -R '^%s.mine$'\n",
        source.c_str(), RUNG_TOPIC_NAME);
    return 1;
  }
  watch();
  int passed = 0;
  for (const rung::Trial& trial : ladder.trials()) {
    for (const int threads : {1, 2}) {
      const std::string name = trial.name + (threads == 1 ? ", 1 thread" : ", 2 threads");
      begin(name);
      const Verdict verdict = trial.judge("mine", threads);
      switch (verdict.status) {
        case Verdict::Status::not_started:
          std::printf("not started: write %s\n", source.c_str());
          return 77;
        case Verdict::Status::failed:
          std::printf("FAILED after %d passed trials, with %d thread(s): %s\n", passed, threads,
                      verdict.message.c_str());
          return 1;
        case Verdict::Status::passed:
          ++passed;
          break;
        case Verdict::Status::unsupported:
          break;
      }
    }
  }
  if (passed == 0) {
    std::printf("FAILED: no trial supports it\n");
    return 1;
  }
  std::printf("passed: %d trials of %s\n", passed, source.c_str());
  std::fflush(stdout);
  passed_trials = 1;
  print_goals(ladder);
  return 0;
}
