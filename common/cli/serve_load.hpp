#pragma once
// The load of rung bench-serve: which flags ask for which rungs of `workload` and `arrivals`.

#include <cstdint>
#include <string>

#include "cli/cli.hpp"
#include "seams/workload.hpp"

namespace rung::cli {

struct ServeLoadOptions {
  int requests = 64, users = 1, shared_prefix = 0, keep_one_in = 1, longest = 0;
  int turns = 0, branches = 0, depth = 3;  // of conversations and agents; 0: none
  double rate = 0, cv = -1, period_s = 60, length_scale = 1, time_scale = 1, think_s = 0;
  std::string prompt = "8-64", output = "8-64", trace, workload, arrivals;
  std::uint64_t seed = 1;

  void add_to(Command& command);
  /// The requests, with their times. `config`: rungs chosen by --set count where no flag of their own is
  /// given. Throws UsageError for flags that contradict each other, Error for a trace that cannot be read.
  Workload make(const EngineConfig& config) const;
  /// The rungs that make() takes: of `workload`, and of `arrivals` ("at once" or "trace" where there is
  /// none).
  std::string workload_rung(const EngineConfig& config) const;
  std::string arrivals_rung(const EngineConfig& config) const;
};

}  // namespace rung::cli
