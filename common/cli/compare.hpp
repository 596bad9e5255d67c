#pragma once
// What `rung compare` and `rung experiment` share: running the rounds of a part, the table of its results,
// and the files that are written.

#include <functional>
#include <string>
#include <vector>

#include "cli/comparison.hpp"
#include "measure/rounds.hpp"

namespace rung::cli {

/// Which interval and how many rounds a comparison has.
struct PrecisionOptions {
  double confidence = 95, precision = 5;  // percent
  int rounds = 0;                         // exactly this many; 0: as many as the precision needs
  int most = 30;

  void add_to(Command& command);
  RoundRule rule() const;
  RatioIntervalConfig interval() const;
};

/// Returns the rungs of seam `workload` and the workloads that measure speed: "prefill | decode | context |
/// chat …".
std::string workload_names();
/// Fills plan.measure from plan.workload. Throws UsageError for a workload that does not exist.
void resolve_measure(PartPlan& plan);

/// Returns whether every size of the part has all the rounds that it needs.
bool is_complete(const StoredPart& part, const RoundRule& rule);
/// Runs one more round at every size of the part that needs it. Returns whether there was one. `each` is
/// called after every run, and may throw.
bool run_round(StoredPart& part, PartRunner& runner, const RoundRule& rule, const RatioInterval& interval,
               const std::function<void()>& each);

/// Returns a part that has not been measured yet.
StoredPart empty_part(const PartPlan& plan, const NamedOptions& settings, const PrecisionOptions& precision);
/// Returns the share of a part's rounds that are done (below 1). It estimates from the intervals so far how
/// many rounds are needed.
double share_done(const StoredPart& part, const RoundRule& rule);

/// Prints the machine, a table for each part, and a note if other programs used the processors.
void print_runs(const StoredRuns& runs);

/// Writes a file of stored runs. Throws Error if it cannot be written.
void write_runs(const StoredRuns& runs, const std::string& path);
/// Draws NAME.svg and NAME.png from NAME.json. Throws Error if this is not possible.
void draw_runs(const std::string& name);

/// Runs a script of tools/lessons with Python, and returns its exit status. Throws Error if there is no
/// Python or no such script.
int run_script(const std::string& script, const std::vector<std::string>& arguments);

/// Returns the command line as it can be repeated in a shell: words with special characters are quoted.
std::string command_text(const std::vector<std::string>& words);

}  // namespace rung::cli
