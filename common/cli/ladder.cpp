// rung ladder: lists the rungs of every seam; with --measure, reports how fast and how exact each one is
// here.

#include <algorithm>
#include <iterator>

#include "catalog/variants.hpp"
#include "cli/cli.hpp"
#include "core/machine.hpp"
#include "core/parallel.hpp"
#include "core/simd.hpp"
#include "measure/ladder_report.hpp"
#include "measure/limits.hpp"

namespace rung::cli {
namespace {

struct LadderCommand {
  std::string seam;    // empty: all
  std::string trials;  // part of the names of workloads
  bool measure = false;
  int repeats = 7;
  int threads = 0;
  std::vector<std::string> set;

  std::vector<const LadderBase*> chosen() const;
  std::string bandwidth_rung() const;
  void list(bool json) const;
  void execute(bool json) const;
};

Json to_json(const LadderBase& ladder) {
  Json rungs = Json::array();
  for (const RungInfo& rung : ladder.rungs()) {
    rungs.push_back({{"name", rung.name},
                     {"source", rung.source},
                     {"summary", rung.summary},
                     {"automatic", rung.automatic && !rung.exercise},
                     {"batch_invariant", rung.batch_invariant},
                     {"exercise", rung.exercise}});
  }
  Json json = {{"seam", ladder.seam()}, {"rungs", rungs}};
  if (!ladder.note.empty()) json["note"] = ladder.note;
  return json;
}

void print(const LadderBase& ladder) {
  fmt::print("{}\n", ladder.seam());
  for (const RungInfo& rung : ladder.rungs()) {
    const bool by_name = !rung.automatic && !rung.exercise;
    fmt::print("  {:<16} {}{}{}\n  {:<16}   {}\n", rung.name, rung.summary, by_name ? " (by name only)" : "",
               rung.batch_invariant ? "" : " (not batch-invariant)", "", rung.source);
  }
  if (!ladder.note.empty()) fmt::print("  {}\n", ladder.note);
  fmt::print("\n");
}

void print(const LadderReport& report) {
  const std::string* trial = nullptr;
  for (const LadderRow& row : report.rows) {
    if (trial == nullptr || row.trial != *trial) {
      trial = &row.trial;
      fmt::print("\n{}\n  {:<16} {:>12} {:>9} {:>10} {:>13} {:>9} {:>11} {:>11}\n", row.trial, "rung", "time",
                 "GB/s", "GFLOP/s", "of the limit", "factor", "error", "allowed");
    }
    fmt::print("  {:<16} {:>9.1f} us {:>9.2f} {:>10.2f} {:>13} {:>8.1f}x {:>11.2e} {:>11.2e}{}\n", row.rung,
               row.seconds * 1e6, row.bytes_per_s * 1e-9, row.flops_per_s * 1e-9, describe(row.nearest),
               row.factor, row.error, row.tolerance, row.passed ? "" : "  WRONG");
  }
}

std::vector<const LadderBase*> LadderCommand::chosen() const {
  if (seam.empty()) return variants().all();
  return {&variants().find(seam)};
}

/// Returns the rung of --set bandwidth=NAME. Throws UsageError for other assignments.
std::string LadderCommand::bandwidth_rung() const {
  std::string bandwidth = "auto";
  for (const std::string& assignment : set) {
    constexpr std::string_view kSeam = "bandwidth=";
    if (!assignment.starts_with(kSeam)) {
      fail_usage(
          "--set {} is not possible, because --set only chooses how the read limit is measured here; write "
          "--set bandwidth=NAME",
          assignment);
    }
    bandwidth = assignment.substr(kSeam.size());
  }
  return bandwidth;
}

void LadderCommand::list(bool json) const {
  Json all = Json::array();
  for (const LadderBase* ladder : chosen()) {
    if (json) {
      all.push_back(to_json(*ladder));
    } else {
      print(*ladder);
    }
  }
  if (json) return print_json(all);
  fmt::print(
      "Select a rung with --attention NAME, --linear NAME, ... or --set SEAM=NAME. auto is the fastest rung "
      "that supports\n"
      "the model, float32 is the fastest that computes in float32, and in_place is the fastest of those that "
      "need no\n"
      "copy of the weights.\n");
}

void LadderCommand::execute(bool json) const {
  const std::string bandwidth = bandwidth_rung();
  const std::vector<const LadderBase*> ladders = chosen();
  if (!measure) return list(json);
  LadderTiming timing;
  timing.threads = threads > 0 ? threads : default_threads();
  timing.repeats = repeats;
  timing.trials = trials;
  timing.poll = check_interrupted;
  LimitsMeter meter(timing.threads, read_loop(variants(), bandwidth, timing.threads));
  const OtherLoad others;
  std::vector<LadderReport> reports;
  for (const LadderBase* ladder : ladders) {
    Progress progress(ladder->seam());
    timing.progress = [&progress](double done) { progress.update(done); };
    reports.push_back(measure_ladder(*ladder, timing, meter, others));
  }
  if (json) {
    Json document = Json::array();
    for (const LadderReport& report : reports) document.push_back(to_json(report));
    return print_json(seam.empty() ? document : document[0]);
  }
  std::vector<MachineLimits> passes;
  for (const LadderReport& report : reports) std::ranges::copy(report.passes, std::back_inserter(passes));
  fmt::print("{}, {} threads, {}: {}\n", machine_name(), timing.threads, simd_name(simd_level()),
             describe(median(passes)));
  for (const LadderReport& report : reports) print(report);
  print_note(others);
}

}  // namespace

void add_ladder(Command& app, Program& program) {
  Command* command = add_command(app, program, "ladder", "list all seams and their rungs, or measure them");
  const auto state = std::make_shared<LadderCommand>();
  command->add_option("seam", state->seam, "show only this seam (default: all)");
  command->add_flag(
      "--measure", state->measure,
      "measure every rung: its time, its GB/s or GFLOP/s, and its error compared with a float64 computation");
  command->add_option("--trials", state->trials,
                      "with --measure: run only workloads whose names contain this text (default: all)");
  command
      ->add_option("-r,--repeats", state->repeats,
                   "with --measure: number of timings per rung, of which the median is reported")
      ->range(1, 1000);
  command->add_option("--threads", state->threads, "number of threads (default: one per processor)")
      ->range(1, 1024);
  command->add_option(
      "--set", state->set,
      "with --measure: bandwidth=NAME, the rung that measures the read bandwidth (default: auto)");
  command->callback([&program, state] { program.run = [&program, state] { state->execute(program.json); }; });
}

}  // namespace rung::cli
