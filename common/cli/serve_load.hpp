#pragma once
// The load of rung bench-serve: the options that select the rungs of `workload` and `arrivals`.

#include <cstdint>
#include <string>

#include "cli/cli.hpp"
#include "seams/workload.hpp"

namespace rung::cli {

struct ServeLoadOptions {
  int requests = 64, users = 1, shared_prefix = 0, keep_one_in = 1, longest = 0;
  int turns = 0, branches = 0, depth = 3;  // for conversations and agents; 0: none
  double rate = 0, cv = -1, period_s = 60, length_scale = 1, time_scale = 1, think_s = 0;
  std::string prompt = "8-64", output = "8-64", trace, workload, arrivals;
  std::uint64_t seed = 1;

  void add_to(Command& command);
  /// Returns the requests with their times. Rungs of `config`, selected with --set, are used if no option of
  /// their own is given. Throws UsageError for options that contradict each other, and Error for a trace that
  /// cannot be read.
  Workload make(const EngineConfig& config) const;
  /// Return the rungs that make() uses: that of `workload`, and that of `arrivals` ("at once" or "trace" if
  /// none is used).
  std::string workload_rung(const EngineConfig& config) const;
  std::string arrivals_rung(const EngineConfig& config) const;
};

}  // namespace rung::cli
