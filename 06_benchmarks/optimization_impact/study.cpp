// What the lesson shows: optimization_impact_study coverage [COMPARISONS] | stopping [COMPARISONS] | examples
//
// `coverage` simulates comparisons with a known ratio, and prints as JSON how often the interval of each rung
// contains it, and how wide the interval is. `stopping` does the same for comparisons that end when the
// interval is narrow. `examples` prints tables of exact numbers. Every number has a seed, so each run prints
// the same.

#include <cstdio>
#include <string>

#include <nlohmann/json.hpp>

#include "core/numbers.hpp"
#include "core/program_main.hpp"
#include "examples.hpp"
#include "noise.hpp"

namespace rung::optimization_impact {
namespace {

using Json = nlohmann::ordered_json;

/// Prints {"comparisons": …, "rows": […]} with one row per line.
void print_rows(const Json& head, const std::vector<Json>& rows) {
  std::string text = head.dump();
  text.pop_back();
  text += ", \"rows\": [\n";
  for (std::size_t i = 0; i < rows.size(); ++i)
    text += rows[i].dump() + (i + 1 < rows.size() ? ",\n" : "\n]}\n");
  std::fputs(text.c_str(), stdout);
}

double rounded(double value) { return std::round(1e5 * value) / 1e5; }

void print_coverage(const Ladder<RatioInterval>& ladder, int comparisons) {
  constexpr int kResamples = 1000;
  std::vector<Json> rows;
  for (const RungInfo& rung : ladder.rungs()) {
    if (rung.exercise) continue;
    for (const Noise noise : kNoises) {
      for (const int rounds : {5, 6, 8, 10, 15, 30}) {
        const Coverage c = coverage(ladder, rung.name, noise, rounds, comparisons, kResamples);
        rows.push_back({{"rung", rung.name},
                        {"noise", name_of(noise)},
                        {"rounds", rounds},
                        {"coverage", rounded(c.share())},
                        {"width", rounded(c.median_width)}});
      }
    }
    std::fprintf(stderr, "%s\n", rung.name.c_str());
  }
  print_rows({{"comparisons", comparisons}, {"resamples", kResamples}, {"confidence", 0.95}}, rows);
}

void print_stopping(const Ladder<RatioInterval>& ladder, int comparisons) {
  const std::pair<const char*, StoppingRule> rules[] = {
      {"from round 5, each round", {5, 1, 30, 1}},
      {"from round 5, every 5 rounds", {5, 5, 30, 1}},
      {"from round 10, every 5 rounds", {10, 5, 30, 1}},
      {"from round 10, every 5 rounds, half the error probability", {}}};
  std::vector<Json> rows;
  for (const auto& [name, rule] : rules) {
    for (const Noise noise : {Noise::quiet, Noise::drift, Noise::bursts, Noise::skewed}) {
      for (const double wanted : {0.004, 0.005, 0.006, 0.008, 0.01, 0.013, 0.016}) {
        const double half_width = noise == Noise::skewed ? 10 * wanted : wanted;
        const Coverage c = coverage_of_stopping(ladder, "auto", noise, rule, half_width, comparisons);
        rows.push_back({{"rule", name},
                        {"noise", name_of(noise)},
                        {"half_width", half_width},
                        {"coverage", rounded(c.share())},
                        {"median_rounds", c.median_rounds}});
      }
    }
    std::fprintf(stderr, "%s\n", name);
  }
  print_rows({{"comparisons", comparisons}, {"confidence", 0.95}, {"most_rounds", 30}}, rows);
}

void print_mixture(const char* title, std::span<const Group> a, std::span<const Group> b) {
  std::printf("%-28s %10s %8s    %10s %8s    %s\n", title, "A requests", "tok/s", "B requests", "tok/s",
              "A against B");
  int requests_a = 0, requests_b = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::printf("  prompts of %-15s %10d %8.1f    %10d %8.1f    %.2f times as fast\n", a[i].prompts,
                a[i].requests, a[i].tokens_per_s, b[i].requests, b[i].tokens_per_s,
                a[i].tokens_per_s / b[i].tokens_per_s);
    requests_a += a[i].requests;
    requests_b += b[i].requests;
  }
  const double all_a = tokens_per_s(a), all_b = tokens_per_s(b);
  std::printf("  %-26s %10d %8.1f    %10d %8.1f    %.2f times as fast\n\n", "all", requests_a, all_a,
              requests_b, all_b, all_a / all_b);
}

void print_examples() {
  print_mixture("what each variant served", kServedByA, kServedByB);
  print_mixture("the same requests for both", kSameForA, kSameForB);
  std::printf("%-54s %12s %12s\n", "two workloads: A takes 10 s and 20 s, B 5 s and 40 s", "A against B",
              "B against A");
  std::printf("  %-52s %12.2f %12.2f\n", "mean of the ratios", mean_of_ratios(kSecondsOfB, kSecondsOfA),
              mean_of_ratios(kSecondsOfA, kSecondsOfB));
  std::printf("  %-52s %12.2f %12.2f\n", "ratio of the sums", ratio_of_sums(kSecondsOfB, kSecondsOfA),
              ratio_of_sums(kSecondsOfA, kSecondsOfB));
  std::printf("  %-52s %12.2f %12.2f\n\n", "geometric mean of the ratios",
              geometric_mean_of_ratios(kSecondsOfB, kSecondsOfA),
              geometric_mean_of_ratios(kSecondsOfA, kSecondsOfB));
  std::printf("%-54s %12s\n", "equal variants, each run takes 1 % longer", "A against B");
  for (const std::string_view order : kOrders) {
    std::printf("  %-52s %12.4f\n", std::string(order).c_str(), 1 / ratio_on_slowing_machine(order));
  }
}

int run(int argc, char** argv) {
  constexpr const char* kUsage =
      "usage: optimization_impact_study coverage [COMPARISONS] | stopping [COMPARISONS] | examples";
  const std::string what = argc > 1 ? argv[1] : "";
  if (argc == 2 && what == "examples") {
    print_examples();
    return 0;
  }
  if (argc > 3 || (what != "coverage" && what != "stopping")) fail_usage(kUsage);
  const int comparisons = argc == 3 ? number_from<int>("COMPARISONS", argv[2], {1, 1'000'000}) : 10'000;
  Registry registry;
  register_rungs(registry);
  (what == "coverage" ? print_coverage : print_stopping)(registry.ladder<RatioInterval>(), comparisons);
  return 0;
}

}  // namespace
}  // namespace rung::optimization_impact

int main(int argc, char** argv) {
  return rung::run_program("optimization_impact_study", argc, argv, rung::optimization_impact::run);
}
