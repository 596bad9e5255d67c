// The tables that `rung compare` and `rung experiment` print.

#include <algorithm>

#include "cli/compare.hpp"
#include "core/printable.hpp"
#include "measure/limits.hpp"

namespace rung::cli {
namespace {

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

void print_runs(const StoredRuns& runs) {
  fmt::print("{}, {}\n\n", runs.machine.name, runs.machine.simd);
  for (const StoredPart& part : runs.parts) print_part(part);
  if (const double load = runs.other_load(); load >= kDisturbingLoad)
    fmt::print("Note: {}.\n", other_load_note(load));
}

}  // namespace rung::cli
