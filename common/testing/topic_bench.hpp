#pragma once
// Registers every rung of a seam on every timed trial with Google Benchmark, as
// seam/rung/trial, with GB/s and GFLOP/s counters.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdio>

#include "core/parallel.hpp"
#include "core/registry.hpp"
#include "core/waiting.hpp"

namespace rung::testing {

inline void bench_all(const Registry& registry, const std::string& seam) {
  const LadderBase& ladder = registry.find(seam);
  const auto trials = ladder.trials();
  for (const Trial& trial : trials) {
    if (!trial.timed) continue;
    for (const RungInfo& rung : ladder.rungs()) {
      const std::string name = seam + "/" + rung.name + "/" + trial.name;
      benchmark::RegisterBenchmark(name.c_str(), [trial, rung](benchmark::State& state) {
        std::function<void()> call;
        try {
          call = trial.prepare(rung.name, default_threads());
          call();  // the first call also shows whether a learner's rung is started
        } catch (const Error& error) {
          state.SkipWithError(error.what());
          return;
        }
        for (auto _ : state) call();
        const auto per_second = benchmark::Counter::kIsIterationInvariantRate;
        state.counters["GB/s"] = benchmark::Counter(trial.work.bytes * 1e-9, per_second);
        state.counters["GFLOP/s"] = benchmark::Counter(trial.work.flops * 1e-9, per_second);
      })->UseRealTime();
    }
  }
}

/// The main() of a topic's benchmark.
inline int bench_main(int argc, char** argv, const Registry& registry, const std::string& seam) {
  choose_waiting(argv);
  bench_all(registry, seam);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}

}  // namespace rung::testing
