// Judges the learner's rung of one topic (compiled once per topic, see cmake/rung_topic.cmake).
// Exit status: 0 every trial passed, 1 one failed (it is printed), 77 not started.

#include <cstdio>

#include "core/error.hpp"
#include "core/registry.hpp"

namespace rung::RUNG_TOPIC {
void register_rungs(Registry& registry);
}

int main() {
  using rung::Verdict;
  rung::Registry registry;
  rung::RUNG_TOPIC::register_rungs(registry);
  const rung::LadderBase& ladder = registry.find(RUNG_SEAM);
  const char* source = ladder.info("mine").source.c_str();
  int passed = 0;
  for (const rung::Trial& trial : ladder.trials()) {
    for (const int threads : {1, 2}) {
      const Verdict verdict = trial.judge("mine", threads);
      switch (verdict.status) {
        case Verdict::Status::not_started:
          std::printf("not started: write %s\n", source);
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
  std::printf("passed: %d trials of %s\n", passed, source);
  return passed > 0 ? 0 : 1;
}
