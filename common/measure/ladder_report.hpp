#pragma once
// The figures of `rung ladder --measure`: how fast and how exact the rungs of one ladder are on this machine.

#include <functional>
#include <string>
#include <vector>

#include "core/machine.hpp"
#include "core/other_load.hpp"
#include "core/registry.hpp"
#include "measure/limits.hpp"
#include "measure/report_json.hpp"

namespace rung {

/// One rung on one timed workload.
struct LadderRow {
  std::string rung, source, summary;
  std::string trial;                                     // the workload
  double seconds = 0, seconds_min = 0, seconds_max = 0;  // time of one call: median, fastest, slowest
  double bytes_per_s = 0, flops_per_s = 0;               // rates of the median call
  double error = 0, tolerance = 0;  // difference from the float64 oracle, and the allowed difference
  bool passed = false;
  double factor = 0;     // speed relative to the first row of this workload, the bottom rung
  NearestLimit nearest;  // limit of the machine that bounds this call
};

struct LadderReport {
  std::string seam;
  int threads = 0;
  std::vector<MachineLimits> passes;  // limits of the machine, measured before each round
  double other_load = 0;              // number of processors that other programs used meanwhile
  std::vector<LadderRow> rows;        // by workload, bottom rung first
};

struct LadderTiming {
  int threads = 1;
  int repeats = 7;                       // rounds
  std::string trials;                    // only workloads whose names contain this text
  std::function<void(double)> progress;  // receives 0 to 1 after each workload; may be empty
  std::function<void()> poll;            // called before each call of a rung; may throw, may be empty
};

/// Judges and times all rungs of a ladder on the workloads that they support. The exercise is included only
/// if it was started. Calls shorter than 2 ms are timed in groups. Each round measures the limits of the
/// machine and each rung once, so that a slowdown of the machine affects all of them alike. `meter` must use
/// timing.threads threads. Throws UsageError if no timed workload has a name that contains timing.trials.
LadderReport measure_ladder(const LadderBase& ladder, const LadderTiming& timing, LimitsMeter& meter,
                            const OtherLoad& others);

/// One element of the JSON of `rung ladder --measure --json`.
Json to_json(const LadderReport& report);

}  // namespace rung
