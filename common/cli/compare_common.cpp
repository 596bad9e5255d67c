#include <algorithm>
#include <cmath>

#include "catalog/variants.hpp"
#include "cli/compare.hpp"
#include "core/output_file.hpp"
#include "seams/workload.hpp"

namespace rung::cli {
namespace {

constexpr const char* kSpeedWorkloads[] = {"prefill", "decode", "context"};

bool is_speed(const std::string& workload) {
  return std::ranges::find(kSpeedWorkloads, workload) != std::end(kSpeedWorkloads);
}

}  // namespace

void PrecisionOptions::add_to(Command& command) {
  command.heading("Precision");
  command.add_option("--confidence", confidence, "percentage of such intervals that contain the true ratio")
      ->range(50, 99.9);
  command
      .add_option("--precision", precision,
                  "measure more rounds until half of each interval is at most this percentage of its ratio")
      ->range(0.1, 100);
  command.add_option("--max-rounds", most, "largest number of rounds, even if an interval is still wider")
      ->range(2, 10000);
  command
      .add_option("-r,--rounds", rounds,
                  "exact number of rounds (default: as many as --precision needs, at least 10)")
      ->range(1, 10000);
  command.heading("");
}

RoundRule PrecisionOptions::rule() const {
  RoundRule rule;
  rule.precision = precision / 100;
  if (rounds > 0) {
    rule.stopping.least_rounds = rule.stopping.most_rounds = rounds;
  } else {
    rule.stopping.most_rounds = most;
    rule.stopping.least_rounds = std::min(rule.stopping.least_rounds, most);
  }
  return rule;
}

RatioIntervalConfig PrecisionOptions::interval() const {
  RatioIntervalConfig config;
  // A fixed number of rounds does not depend on the intervals, so it needs no correction.
  config.confidence = rounds > 0 ? confidence / 100 : rule().stopping.confidence_of_rung(confidence / 100);
  return config;
}

std::string workload_names() {
  std::string names;
  for (const char* name : kSpeedWorkloads) names += (names.empty() ? "" : " | ") + std::string(name);
  for (const RungInfo& info : variants().find("workload").rungs()) names += " | " + info.name;
  return names;
}

void resolve_measure(PartPlan& plan) {
  if (plan.measure == "quality") return;
  if (!is_speed(plan.workload)) {
    const auto& rungs = variants().find("workload").rungs();
    if (std::ranges::find(rungs, plan.workload, &RungInfo::name) == rungs.end())
      fail_usage("there is no workload '{}'; choose one of: {}", plan.workload, workload_names());
  }
  plan.measure = is_speed(plan.workload) ? "speed" : "serving";
}

namespace {

bool is_complete(const std::string& measure, const StoredPoint& point, const RoundRule& rule) {
  if (point.rounds.empty()) return false;
  return measure == "quality" || has_enough_rounds(point, rule);  // the quality is the same in every round
}

}  // namespace

bool is_complete(const StoredPart& part, const RoundRule& rule) {
  return !part.points.empty() && std::ranges::all_of(part.points, [&](const StoredPoint& point) {
    return is_complete(part.measure, point, rule);
  });
}

bool run_round(StoredPart& part, PartRunner& runner, const RoundRule& rule, const RatioInterval& interval,
               const std::function<void()>& each) {
  if (is_complete(part, rule)) return false;
  const OtherLoad others;  // over all sizes, because the system counts too coarsely for a short run
  std::vector<StoredRound*> rounds;
  std::size_t done = 0;
  for (const StoredPoint& point : part.points) done = std::max(done, point.rounds.size());
  runner.begin_round(order_of_round(static_cast<int>(done), part.variants.size()));
  const std::map<std::string, double> limits = runner.limits();
  for (std::size_t p = 0; p < part.points.size(); ++p) {
    StoredPoint& point = part.points[p];
    if (is_complete(part.measure, point, rule)) continue;
    const int number = static_cast<int>(point.rounds.size());
    StoredRound round;
    round.runs.resize(part.variants.size());
    round.limits = limits;
    for (const std::size_t v : order_of_round(number, part.variants.size())) {
      round.runs[v] = runner.run(p, v, number);
      each();
    }
    rounds.push_back(&point.rounds.emplace_back(std::move(round)));
    summarize(point, interval);
    runner.complete(point, p);
  }
  for (StoredRound* round : rounds) round->other_load = others.processors();
  return true;
}

StoredPart empty_part(const PartPlan& plan, const NamedOptions& settings, const PrecisionOptions& precision) {
  StoredPart part;
  part.name = plan.measure == "quality" ? "quality" : plan.workload;
  part.measure = plan.measure;
  part.workload = plan.workload;
  part.settings = settings;
  part.confidence = precision.confidence / 100;
  part.interval = variants().ladder<RatioInterval>().choose("auto", precision.interval()).info.name;
  return part;
}

double share_done(const StoredPart& part, const RoundRule& rule) {
  double done = 0;
  for (const StoredPoint& point : part.points) {
    const double rounds = static_cast<double>(point.rounds.size());
    double needed = rule.stopping.least_rounds;
    for (const StoredResult& r : point.results) {
      const double width = (r.ratio.high - r.ratio.low) / (2 * r.ratio.ratio * rule.precision);
      if (rounds >= 2 && std::isfinite(width)) needed = std::max(needed, rounds * width * width);
    }
    done += std::min(1.0, rounds / std::min(needed, 1.0 * rule.stopping.most_rounds));
  }
  return std::min(0.999, done / static_cast<double>(std::max(part.points.size(), std::size_t{1})));
}

void write_runs(const StoredRuns& runs, const std::string& path) {
  OutputFile file(path);
  file.write(dump_json(to_json(runs), 1) + "\n");
  file.commit();
}

std::string command_text(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) {
    const bool plain = !word.empty() && std::ranges::all_of(word, [](unsigned char c) {
      return std::isalnum(c) != 0 ||
             std::string_view("-_=,./:+@%").find(static_cast<char>(c)) != std::string_view::npos;
    });
    std::string quoted = word;
    for (std::size_t at = 0; !plain && (at = quoted.find('\'', at)) != std::string::npos; at += 4)
      quoted.replace(at, 1, "'\\''");
    text += (text.empty() ? "" : " ") + (plain ? word : "'" + quoted + "'");
  }
  return text;
}

}  // namespace rung::cli
