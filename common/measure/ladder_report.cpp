#include "measure/ladder_report.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <span>
#include <utility>

#include "core/simd.hpp"
#include "core/timer.hpp"

namespace rung {
namespace {

/// A rung that is ready to be called on one workload.
struct TimedRung {
  const RungInfo* rung = nullptr;
  Verdict verdict;
  std::function<void()> call;
  int group = 1;                // calls per timing
  std::vector<double> seconds;  // of one call, in each round
};

std::vector<TimedRung> prepare_rungs(const LadderBase& ladder, const Trial& trial, const LadderTiming& timing,
                                     bool started) {
  std::vector<TimedRung> all;
  for (const RungInfo& rung : ladder.rungs()) {
    if (timing.poll) timing.poll();
    if (rung.exercise && !started) continue;
    TimedRung timed;
    timed.rung = &rung;
    timed.verdict = trial.judge(rung.name, timing.threads);
    if (timed.verdict.status == Verdict::Status::unsupported) continue;
    timed.call = trial.prepare(rung.name, timing.threads);
    timed.call();
    const Timer probe;
    timed.call();
    timed.group = std::clamp(static_cast<int>(2e-3 / std::max(probe.seconds(), 1e-7)), 1, 10000);
    all.push_back(std::move(timed));
  }
  return all;
}

LadderRow row_of(const TimedRung& timed, const Trial& trial, std::span<const MachineLimits> passes) {
  std::vector<double> sorted = timed.seconds;
  std::sort(sorted.begin(), sorted.end());
  LadderRow row;
  row.rung = timed.rung->name;
  row.source = timed.rung->source;
  row.summary = timed.rung->summary;
  row.trial = trial.name;
  row.seconds = sorted[sorted.size() / 2];
  row.seconds_min = sorted.front();
  row.seconds_max = sorted.back();
  row.bytes_per_s = trial.work.bytes / row.seconds;
  row.flops_per_s = trial.work.flops / row.seconds;
  row.error = timed.verdict.error;
  row.tolerance = timed.verdict.tolerance;
  row.passed = timed.verdict.status == Verdict::Status::passed;
  row.nearest =
      nearest_limit({trial.work.bytes, trial.work.flops, 0, timed.rung->arithmetic}, passes, timed.seconds);
  return row;
}

void measure_trial(const LadderBase& ladder, const Trial& trial, const LadderTiming& timing, bool started,
                   LimitsMeter& meter, LadderReport& report) {
  std::vector<TimedRung> all = prepare_rungs(ladder, trial, timing, started);
  const std::size_t first_pass = report.passes.size();
  for (int repeat = 0; repeat < timing.repeats; ++repeat) {
    report.passes.push_back(meter.pass());
    for (TimedRung& timed : all) {
      if (timing.poll) timing.poll();
      const Timer timer;
      for (int i = 0; i < timed.group; ++i) timed.call();
      timed.seconds.push_back(timer.seconds() / timed.group);
    }
  }
  double bottom_s = 0;
  for (const TimedRung& timed : all) {
    LadderRow row = row_of(timed, trial, std::span(report.passes).subspan(first_pass));
    if (bottom_s == 0) bottom_s = row.seconds;
    row.factor = bottom_s / row.seconds;
    report.rows.push_back(std::move(row));
  }
}

}  // namespace

LadderReport measure_ladder(const LadderBase& ladder, const LadderTiming& timing, LimitsMeter& meter,
                            const OtherLoad& others) {
  std::vector<Trial> trials = ladder.trials();
  // An exercise can pass a trial that does not reach the learner's part. It counts as started only if no
  // trial says otherwise.
  const bool started = std::none_of(trials.begin(), trials.end(), [](const Trial& trial) {
    return trial.judge("mine", 1).status == Verdict::Status::not_started;
  });
  std::erase_if(trials, [&](const Trial& trial) {
    return !trial.timed || trial.name.find(timing.trials) == std::string::npos;
  });
  if (trials.empty()) {
    fail_usage("seam {} has no timed trial with '{}' in its name", ladder.seam(), timing.trials);
  }
  LadderReport report;
  report.seam = ladder.seam();
  report.threads = timing.threads;
  for (std::size_t i = 0; i < trials.size(); ++i) {
    measure_trial(ladder, trials[i], timing, started, meter, report);
    if (timing.progress) timing.progress(static_cast<double>(i + 1) / static_cast<double>(trials.size()));
  }
  report.other_load = others.processors();
  return report;
}

Json to_json(const LadderReport& report) {
  Json rows = Json::array();
  for (const LadderRow& row : report.rows) {
    rows.push_back({{"rung", row.rung},
                    {"source", row.source},
                    {"summary", row.summary},
                    {"trial", row.trial},
                    {"seconds", row.seconds},
                    {"seconds_min", row.seconds_min},
                    {"seconds_max", row.seconds_max},
                    {"gb_s", row.bytes_per_s * 1e-9},
                    {"gflop_s", row.flops_per_s * 1e-9},
                    {"error", row.error},
                    {"tolerance", row.tolerance},
                    {"passed", row.passed},
                    {"factor", row.factor},
                    {"limit", row.nearest.limit.name},
                    {"pct_of_limit", 100 * row.nearest.share}});
  }
  const MachineLimits limits = median(report.passes);
  const Json machine = {{"name", machine_name()},
                        {"simd", simd_name(simd_level())},
                        {"threads", report.threads},
                        {"read_gb_s", limits.read_bytes_per_s * 1e-9},
                        {"fma_gflop_s", limits.fma_flops_per_s * 1e-9},
                        {"int8_gop_s", limits.int8_ops_per_s * 1e-9},
                        {"bf16_gflop_s", limits.bf16_flops_per_s * 1e-9},
                        {"int8_tile_gop_s", limits.int8_tile_ops_per_s * 1e-9},
                        {"bf16_tile_gflop_s", limits.bf16_tile_flops_per_s * 1e-9},
                        {"other_load", report.other_load},
                        {"device", "cpu"}};
  return {{"seam", report.seam}, {"machine", machine}, {"rows", rows}};
}

}  // namespace rung
