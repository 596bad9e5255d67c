// Stored runs: what is written is read again, what is broken is refused, and the summary of the rounds.

#include "measure/stored_runs.hpp"

#include <cmath>
#include <nlohmann/json.hpp>

#include "catalog/variants.hpp"
#include "core/error.hpp"
#include "measure/limits.hpp"
#include "measure/rounds.hpp"
#include "testing/catch.hpp"

namespace rung {
namespace {

StoredRuns example() {
  StoredRuns runs;
  runs.title = "a \"title\"";
  runs.question = "which?\n";
  runs.experiment = "models = [\"tiny\"]\n";
  runs.command = "rung compare --attention naive,flash";
  runs.date = "2026-12-01T10:00:00Z";
  runs.machine = machine_record();
  StoredPart part;
  part.name = part.workload = "prefill";
  part.measure = "speed";
  part.size = "prompt, tokens";
  part.settings = {{"threads", "2"}};
  part.confidence = 0.95;
  part.interval = "trimmed";
  part.limits = {{"read_bandwidth", 2e10}};
  for (const char* name : {"naive", "flash"}) {
    part.variants.push_back({name, {{"attention", name}}, "tiny", {{"attention", name}}, 1000, 816.5});
  }
  StoredPoint point;
  point.size = 128;
  point.tokens = 128;
  for (const double drift : {1.0, 2.0, 1.5}) {
    StoredRound round;
    round.runs = {{0.04 * drift, {}}, {0.01 * drift, {}}};
    round.other_load = 0.1 * drift;
    round.limits = {{"read_bandwidth", 2e10 / drift}, {"fma_rate", 1e11}};
    point.rounds.push_back(round);
  }
  part.points.push_back(point);
  runs.parts.push_back(part);
  StoredPart serving = part;
  serving.name = "chat";
  serving.measure = "serving";
  serving.targets = {{"ttft_s", 0.2}};
  for (StoredRound& round : serving.points[0].rounds) {
    for (StoredRun& run : round.runs) run.figures = {{"ttft_s.p50", 0.1}, {"request_s", 3}, {"tok_s", 50}};
  }
  runs.parts.push_back(serving);
  return runs;
}

TEST_CASE("stored runs are read as they were written") {
  StoredRuns runs = example();
  const auto interval = variants().ladder<RatioInterval>().make("auto", {});
  for (StoredPart& part : runs.parts) summarize(part.points[0], *interval);
  runs.parts[0].points[0].results[1].limit = "fma_rate";
  runs.parts[0].points[0].results[1].share = 0.5;
  const std::string text = to_json(runs).dump();
  StoredRuns again = stored_runs_from(text, "x.json");
  for (StoredPart& part : again.parts) summarize(part.points[0], *interval);
  CHECK(to_json(again).dump() == text);
  CHECK(std::abs(runs.other_load() - 0.15) < 1e-12);
}

TEST_CASE("a summary has medians of the rounds, and a ratio that drift does not change") {
  StoredRuns runs = example();
  const auto interval = variants().ladder<RatioInterval>().make("auto", {});
  StoredPoint& point = runs.parts[0].points[0];
  summarize(point, *interval);
  CHECK(point.results[0].seconds == 0.06);
  CHECK(point.results[0].seconds_min == 0.04);
  CHECK(point.results[0].seconds_max == 0.08);
  CHECK(std::abs(point.results[0].tok_s - 128 / 0.06) < 1e-9);
  CHECK(std::abs(point.results[1].ratio.ratio - 4) < 1e-9);
  CHECK(std::abs(point.results[1].ratio.low - 4) < 1e-6);
  StoredPoint& served = runs.parts[1].points[0];
  summarize(served, *interval);
  CHECK(served.results[1].figures.at("ttft_s.p50") == 0.1);
  CHECK(served.results[1].tok_s == 50);  // counted, not derived from the tokens of a test
  CHECK(to_json(runs)["parts"][1]["points"][0]["results"][1]["ttft_s"]["p50"] == 0.1);
}

TEST_CASE("a file that has no stored runs is refused with its name") {
  const std::string text = to_json(example()).dump();
  for (const std::string& broken :
       {std::string("{"), std::string("[]"), std::string("{\"format\": \"other\"}"),
        text.substr(0, text.size() / 2)}) {
    try {
      stored_runs_from(broken, "x.json");
      FAIL("accepted: " << broken.substr(0, 40));
    } catch (const Error& error) {
      CHECK(std::string(error.what()).find("'x.json' does not contain stored runs") == 0);
    }
  }
  Json json = Json::parse(text);
  json["parts"][0]["points"][0]["rounds"][1]["seconds"].push_back(1.0);  // three runs of two variants
  CHECK_THROWS_AS(stored_runs_from(json.dump(), "x.json"), Error);
}

TEST_CASE("each round has every variant once, and a constant slowdown affects all of them equally") {
  for (const std::size_t variants : {2u, 3u, 5u}) {
    std::vector<double> delay(variants);
    const int rounds = static_cast<int>(4 * variants);
    for (int round = 0; round < rounds; ++round) {
      const std::vector<std::size_t> order = order_of_round(round, variants);
      REQUIRE(order.size() == variants);
      std::vector<int> count(variants);
      for (std::size_t i = 0; i < variants; ++i) {
        ++count[order[i]];
        delay[order[i]] += static_cast<double>(static_cast<std::size_t>(round) * variants + i);
      }
      CHECK(count == std::vector<int>(variants, 1));
    }
    for (const double d : delay) CHECK(d == delay[0]);
  }
}

TEST_CASE("rounds end when all intervals are narrow, or at the limit") {
  StoredPoint point;
  point.results.resize(2);
  point.results[1].ratio = {2, 1.98, 2.02};
  RoundRule rule;
  point.rounds.resize(static_cast<std::size_t>(rule.stopping.least_rounds - 1));
  CHECK_FALSE(has_enough_rounds(point, rule));
  point.rounds.resize(static_cast<std::size_t>(rule.stopping.least_rounds));
  CHECK(has_enough_rounds(point, rule));
  point.results[1].ratio = {2, 1.5, 2.6};
  CHECK_FALSE(has_enough_rounds(point, rule));
  point.rounds.resize(static_cast<std::size_t>(rule.stopping.most_rounds));
  CHECK(has_enough_rounds(point, rule));
}

TEST_CASE("the machine's record is read as it was written, and its limits too") {
  const MachineRecord machine = machine_record();
  CHECK_FALSE(machine.name.empty());
  CHECK(machine.memory_bytes > 0);
  CHECK(to_json(machine_record_from(to_json(machine))).dump() == to_json(machine).dump());
  MachineLimits limits;
  limits.read_bytes_per_s = 1;
  limits.int8_ops_per_s = 3;
  CHECK(rates_of(limits).size() == 2);
  CHECK(rates_of(limits_from(rates_of(limits))) == rates_of(limits));
}

}  // namespace
}  // namespace rung
