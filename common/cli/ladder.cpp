// rung ladder: every seam and its rungs; with --measure how fast and how exact each one is here.

#include <algorithm>

#include "catalog/variants.hpp"
#include "cli/cli.hpp"
#include "core/machine.hpp"
#include "core/parallel.hpp"
#include "core/simd.hpp"
#include "measure/limits.hpp"

namespace rung::cli {
namespace {

struct LadderCommand {
  std::string seam;
  std::string trials;  // a word of their names
  bool measure = false;
  int repeats = 7;
  int threads = 0;
  std::vector<std::string> set;

  std::vector<const LadderBase*> chosen() const {
    if (seam.empty()) return variants().all();
    return {&variants().find(seam)};
  }

  static Json list(const std::vector<const LadderBase*>& ladders) {
    Json all = Json::array();
    for (const LadderBase* ladder : ladders) {
      Json rungs = Json::array();
      for (const RungInfo& rung : ladder->rungs()) {
        rungs.push_back({{"name", rung.name},
                         {"source", rung.source},
                         {"summary", rung.summary},
                         {"automatic", rung.automatic && !rung.exercise},
                         {"batch_invariant", rung.batch_invariant},
                         {"exercise", rung.exercise}});
      }
      all.push_back({{"seam", ladder->seam()}, {"rungs", rungs}});
      if (!ladder->note.empty()) all.back()["note"] = ladder->note;
    }
    return all;
  }

  static void print_list(const Json& all) {
    for (const Json& ladder : all) {
      fmt::print("{}\n", ladder["seam"].get<std::string>());
      for (const Json& rung : ladder["rungs"]) {
        const bool by_name = !rung["automatic"] && !rung["exercise"];
        fmt::print("  {:<16} {}{}{}\n  {:<16}   {}\n", rung["name"].get<std::string>(),
                   rung["summary"].get<std::string>(), by_name ? " (by name only)" : "",
                   rung["batch_invariant"] ? "" : " (not batch-invariant)", "",
                   rung["source"].get<std::string>());
      }
      if (ladder.contains("note")) fmt::print("  {}\n", ladder["note"].get<std::string>());
      fmt::print("\n");
    }
    fmt::print(
        "Choose with --attention NAME, --linear NAME, ... or --set SEAM=NAME. auto is the fastest that fits, "
        "float32\nthe fastest that computes in float32, in_place the fastest of those that needs no copy of "
        "the "
        "weights.\n");
  }

  /// Seconds of one call, per round. Calls shorter than 2 ms are timed in groups. The rungs and the limits of
  /// the machine take turns, one timing each per round, so that a machine that slows down slows all of them.
  struct Timed {
    const RungInfo* rung = nullptr;
    Verdict verdict;
    std::function<void()> call;
    int group = 1;
    std::vector<double> seconds;
  };

  /// `passes` receives the limits of every round.
  Json measure_trial(const LadderBase& ladder, const Trial& trial, int team, bool started, LimitsMeter& meter,
                     std::vector<MachineLimits>& passes) const {
    const std::size_t first_pass = passes.size();
    std::vector<Timed> all;
    for (const RungInfo& rung : ladder.rungs()) {
      check_interrupted();
      if (rung.exercise && !started) continue;
      Timed timed;
      timed.rung = &rung;
      timed.verdict = trial.judge(rung.name, team);
      if (timed.verdict.status == Verdict::Status::unsupported) continue;
      timed.call = trial.prepare(rung.name, team);
      timed.call();
      const Timer probe;
      timed.call();
      timed.group = std::clamp(static_cast<int>(2e-3 / std::max(probe.seconds(), 1e-7)), 1, 10000);
      all.push_back(std::move(timed));
    }
    for (int repeat = 0; repeat < repeats; ++repeat) {
      passes.push_back(meter.pass());
      for (Timed& timed : all) {
        check_interrupted();
        const Timer timer;
        for (int i = 0; i < timed.group; ++i) timed.call();
        timed.seconds.push_back(timer.seconds() / timed.group);
      }
    }
    Json rows = Json::array();
    double bottom = 0;
    for (const Timed& timed : all) {
      std::vector<double> sorted = timed.seconds;
      std::sort(sorted.begin(), sorted.end());
      const double seconds = sorted[sorted.size() / 2];
      if (bottom == 0) bottom = seconds;
      rows.push_back({{"rung", timed.rung->name},
                      {"source", timed.rung->source},
                      {"summary", timed.rung->summary},
                      {"trial", trial.name},
                      {"seconds", seconds},
                      {"seconds_min", sorted.front()},
                      {"seconds_max", sorted.back()},
                      {"gb_s", trial.work.bytes * 1e-9 / seconds},
                      {"gflop_s", trial.work.flops * 1e-9 / seconds},
                      {"error", timed.verdict.error},
                      {"tolerance", timed.verdict.tolerance},
                      {"passed", timed.verdict.status == Verdict::Status::passed},
                      {"factor", bottom / seconds}});
      const NearestLimit nearest =
          nearest_limit({trial.work.bytes, trial.work.flops, 0, timed.rung->arithmetic},
                        std::span(passes).subspan(first_pass), timed.seconds);
      rows.back()["limit"] = nearest.limit.name;
      rows.back()["pct_of_limit"] = 100 * nearest.share;
    }
    return rows;
  }

  void print_rows(const Json& rows) const {
    std::string trial;
    for (const Json& r : rows) {
      if (r["trial"] != trial) {
        trial = r["trial"];
        fmt::print("\n{}\n  {:<16} {:>12} {:>9} {:>10} {:>13} {:>9} {:>11} {:>11}\n", trial, "rung", "time",
                   "GB/s", "GFLOP/s", "of the limit", "factor", "error", "allowed");
      }
      const std::string limit = r["limit"];
      const std::string share = fmt::format("{:.0f} % {}", r["pct_of_limit"].get<double>(),
                                            limit == "read_bandwidth" ? "read"
                                            : limit == "int8_rate"    ? "int8"
                                            : limit == "bf16_rate"    ? "bf16"
                                                                      : "FMA");
      fmt::print("  {:<16} {:>9.1f} us {:>9.2f} {:>10.2f} {:>13} {:>8.1f}x {:>11.2e} {:>11.2e}{}\n",
                 r["rung"].get<std::string>(), r["seconds"].get<double>() * 1e6, r["gb_s"].get<double>(),
                 r["gflop_s"].get<double>(), share, r["factor"].get<double>(), r["error"].get<double>(),
                 r["tolerance"].get<double>(), r["passed"].get<bool>() ? "" : "  WRONG");
    }
  }

  void execute(bool json) const {
    std::string bandwidth = "auto";
    for (const std::string& assignment : set) {
      constexpr std::string_view kSeam = "bandwidth=";
      if (!assignment.starts_with(kSeam)) {
        fail_usage("--set {}: here it only chooses how the read limit is measured, --set bandwidth=NAME",
                   assignment);
      }
      bandwidth = assignment.substr(kSeam.size());
    }
    const auto ladders = chosen();
    if (!measure) {
      const Json all = list(ladders);
      if (json) {
        print_json(all);
      } else {
        print_list(all);
      }
      return;
    }
    const int team = threads > 0 ? threads : default_threads();
    LimitsMeter meter(team, read_loop(variants(), bandwidth, team));
    const OtherLoad others;
    std::vector<MachineLimits> passes;
    Json document = Json::array();
    for (const LadderBase* ladder : ladders) {
      Json rows = Json::array();
      const std::size_t first_pass = passes.size();
      const std::string& word = this->trials;
      std::vector<Trial> trials = ladder->trials();
      // An exercise may pass a trial without the learner's part of it; it is started when no trial says
      // otherwise.
      const bool started = std::none_of(trials.begin(), trials.end(), [&](const Trial& trial) {
        return trial.judge("mine", 1).status == Verdict::Status::not_started;
      });
      std::erase_if(trials, [&](const Trial& trial) {
        return !trial.timed || trial.name.find(word) == std::string::npos;
      });
      if (trials.empty())
        fail_usage("seam {} has no timed trial with '{}' in its name", ladder->seam(), word);
      Progress progress(ladder->seam());
      for (std::size_t i = 0; i < trials.size(); ++i) {
        for (Json& row : measure_trial(*ladder, trials[i], team, started, meter, passes))
          rows.push_back(std::move(row));
        progress.update(static_cast<double>(i + 1) / static_cast<double>(trials.size()));
      }
      const MachineLimits limits = median(std::span(passes).subspan(first_pass));
      const Json machine = {{"name", machine_name()},
                            {"simd", simd_name(simd_level())},
                            {"threads", team},
                            {"read_gb_s", limits.read_bytes_per_s * 1e-9},
                            {"fma_gflop_s", limits.fma_flops_per_s * 1e-9},
                            {"int8_gop_s", limits.int8_ops_per_s * 1e-9},
                            {"bf16_gflop_s", limits.bf16_flops_per_s * 1e-9},
                            {"other_load", others.processors()},
                            {"device", "cpu"}};
      document.push_back({{"seam", ladder->seam()}, {"machine", machine}, {"rows", rows}});
    }
    if (json) {
      print_json(seam.empty() ? document : document[0]);
      return;
    }
    const MachineLimits limits = median(passes);
    fmt::print("{}, {} threads, {}: {:.1f} GB/s read, {:.0f} GFLOP/s float32, {:.0f} GOP/s int8\n",
               machine_name(), team, simd_name(simd_level()), limits.read_bytes_per_s * 1e-9,
               limits.fma_flops_per_s * 1e-9, limits.int8_ops_per_s * 1e-9);
    for (const Json& ladder : document) print_rows(ladder["rows"]);
    print_note(others);
  }
};

}  // namespace

void add_ladder(Command& app, Program& program) {
  Command* command = add_command(app, program, "ladder", "every seam and its rungs");
  const auto state = std::make_shared<LadderCommand>();
  command->add_option("seam", state->seam, "one seam only");
  command->add_flag("--measure", state->measure, "time, GB/s or GFLOP/s, and error against the oracle");
  command->add_option("--trials", state->trials, "with --measure: only workloads with this in their names");
  command->add_option("-r,--repeats", state->repeats, "timings per rung; the median counts")->range(1, 1000);
  command->add_option("--threads", state->threads, "threads (default: all processors)")->range(1, 1024);
  command->add_option("--set", state->set, "bandwidth=NAME: the rung that measures the read limit");
  command->callback([&program, state] { program.run = [&program, state] { state->execute(program.json); }; });
}

}  // namespace rung::cli
