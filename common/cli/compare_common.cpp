#include <algorithm>
#include <cerrno>
#include <cmath>
#include <filesystem>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "catalog/variants.hpp"
#include "cli/compare.hpp"
#include "core/output_file.hpp"
#include "core/printable.hpp"
#include "measure/limits.hpp"
#include "seams/workload.hpp"

extern char** environ;

namespace rung::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSpeedWorkloads[] = {"prefill", "decode", "context"};

bool is_speed(const std::string& workload) {
  return std::ranges::find(kSpeedWorkloads, workload) != std::end(kSpeedWorkloads);
}

/// The folder with the scripts that draw: that of the source tree, or that of the installation.
fs::path lesson_tools() {
  std::error_code ignored;
  const fs::path program = fs::read_symlink("/proc/self/exe", ignored);
  for (const fs::path& folder :
       {fs::path(RUNG_TOOLS_DIR), program.parent_path().parent_path() / "share/rung/tools"}) {
    if (fs::exists(folder / "lessons", ignored)) return folder / "lessons";
  }
  fail("the folder tools/lessons with the scripts that draw is missing; it belongs to the source tree {}",
       fs::path(RUNG_TOOLS_DIR).parent_path().string());
}

using Row = std::vector<std::string>;

/// Prints a table in Markdown whose columns are aligned; all but the first `texts` columns hold numbers.
void print_table(const std::vector<Row>& rows, std::size_t texts) {
  std::vector<std::size_t> widths(rows.front().size());
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  for (std::size_t r = 0; r < rows.size(); ++r) {
    for (std::size_t i = 0; i < widths.size(); ++i) {
      const std::string padding(widths[i] - rows[r][i].size(), ' ');
      fmt::print("| {}{} ", i < texts ? rows[r][i] : padding, i < texts ? padding : rows[r][i]);
    }
    fmt::print("|\n");
    if (r > 0) continue;
    for (std::size_t i = 0; i < widths.size(); ++i)
      fmt::print("|{}{}", std::string(widths[i] + 1, '-'), i < texts ? "-" : ":");
    fmt::print("|\n");
  }
}

std::string milliseconds(double seconds) { return fmt::format("{:.4g}", 1e3 * seconds); }

/// "1.94 (1.90 to 1.99)".
std::string ratio_text(const RatioEstimate& ratio) {
  return fmt::format("{:.3g} ({:.3g} to {:.3g})", ratio.ratio, ratio.low, ratio.high);
}

std::vector<Row> speed_rows(const StoredPart& part) {
  std::vector<Row> rows = {{part.size, "variant", "ms", "fastest - slowest", "tok/s", "of limit",
                            "times as fast as " + part.variants.front().name}};
  for (const StoredPoint& point : part.points) {
    for (std::size_t i = 0; i < point.results.size(); ++i) {
      const StoredResult& r = point.results[i];
      rows.push_back(
          {i == 0 ? fmt::format("{:g}", point.size) : "", part.variants[i].name, milliseconds(r.seconds),
           milliseconds(r.seconds_min) + " - " + milliseconds(r.seconds_max), fmt::format("{:.1f}", r.tok_s),
           describe(NearestLimit{{0, r.limit.c_str()}, r.share}), i == 0 ? "1" : ratio_text(r.ratio)});
    }
  }
  return rows;
}

std::vector<Row> serving_rows(const StoredPart& part) {
  std::vector<Row> rows = {{"requests/s", "variant", "TTFT P50, ms", "TTFT P99, ms", "ITL P99, ms",
                            "E2E mean, ms", "served/s", "goodput/s",
                            "times as fast as " + part.variants.front().name}};
  for (const StoredPoint& point : part.points) {
    for (std::size_t i = 0; i < point.results.size(); ++i) {
      const StoredResult& r = point.results[i];
      const auto figure = [&](const char* name) { return r.figures.at(name); };
      rows.push_back({i > 0             ? ""
                      : point.size == 0 ? "all at once"
                                        : fmt::format("{:g}", point.size),
                      part.variants[i].name, milliseconds(figure("ttft_s.p50")),
                      milliseconds(figure("ttft_s.p99")), milliseconds(figure("itl_s.p99")),
                      milliseconds(r.seconds), fmt::format("{:.2f}", figure("request_s")),
                      fmt::format("{:.2f}", figure("goodput_request_s")),
                      i == 0 ? "1" : ratio_text(r.ratio)});
    }
  }
  return rows;
}

std::vector<Row> quality_rows(const StoredPart& part) {
  std::vector<Row> rows = {
      {"variant", "bytes, " + part.bytes_of, "perplexity", "KL, nats", "same top token"}};
  const auto with_error = [](const std::map<std::string, double>& figures, const std::string& name,
                             int digits) {
    const auto value = figures.find(name), error = figures.find(name + "_error");
    if (value == figures.end()) return std::string("-");
    std::string text = fmt::format("{:.{}f}", value->second, digits);
    if (error != figures.end()) text += fmt::format(" +- {:.{}f}", error->second, digits);
    return text;
  };
  const StoredPoint& point = part.points.front();
  for (std::size_t i = 0; i < point.results.size(); ++i) {
    const auto& figures = point.results[i].figures;
    const auto same = figures.find("same_top");
    rows.push_back({part.variants[i].name, fmt::format("{:.0f}", figures.at("bytes")),
                    with_error(figures, "ppl", 4), with_error(figures, "kl", 6),
                    same == figures.end() ? "-" : fmt::format("{:.2f} %", 100 * same->second)});
  }
  return rows;
}

/// "7 rounds", or "7 to 12 rounds" if the sizes needed different numbers.
std::string rounds_text(const StoredPart& part) {
  std::size_t least = part.points.front().rounds.size(), most = least;
  for (const StoredPoint& point : part.points) {
    least = std::min(least, point.rounds.size());
    most = std::max(most, point.rounds.size());
  }
  return least == most ? counted(most, "round") : fmt::format("{} to {} rounds", least, most);
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

namespace {

void print_part(const StoredPart& part) {
  std::string settings;
  for (const auto& [name, value] : part.settings)
    settings += fmt::format(", {}{}{}", name, value.empty() ? "" : " ", value);
  if (part.measure == "quality") {
    fmt::print("quality{}; {}; KL divergence against {}\n\n", settings, part.workload, part.reference);
  } else {
    fmt::print("{}{}; {}, {:g} % intervals by {}\n\n", part.workload, settings, rounds_text(part),
               100 * part.confidence, part.interval);
  }
  if (part.measure == "speed") print_table(speed_rows(part), 2);
  if (part.measure == "serving") print_table(serving_rows(part), 2);
  if (part.measure == "quality") print_table(quality_rows(part), 1);
  fmt::print("\n");
}

}  // namespace

void print(const StoredRuns& runs) {
  fmt::print("{}, {}\n\n", runs.machine.name, runs.machine.simd);
  for (const StoredPart& part : runs.parts) print_part(part);
  if (const double load = runs.other_load(); load >= kDisturbingLoad)
    fmt::print("Note: {}.\n", other_load_note(load));
}

void write_runs(const StoredRuns& runs, const std::string& path) {
  OutputFile file(path);
  file.write(dump_json(to_json(runs), 1) + "\n");
  file.commit();
}

void draw_runs(const std::string& name) {
  finish_output();
  if (run_script("draw_runs.py", {name + ".json", "--out", name}) != 0)
    fail("the picture was not drawn; the runs are in {0}.json, and rung plot {0}.json draws them later",
         name);
}

int run_script(const std::string& script, const std::vector<std::string>& arguments) {
  const fs::path path = lesson_tools() / script;
  std::vector<std::string> words = {"python3", "-B", path.string()};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  std::fflush(nullptr);
  // What the script says goes to stderr, because stdout belongs to the result.
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
  pid_t child = 0;
  const int error = posix_spawnp(&child, "python3", &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0)
    fail("drawing needs Python, but python3 cannot be run; install it with: apt-get install python3");
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
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
