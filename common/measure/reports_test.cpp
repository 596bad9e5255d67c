// The reports of measurements: what they say as JSON, and the words for limits.

#include <nlohmann/json.hpp>
#include "testing/catch.hpp"

#include "catalog/variants.hpp"
#include "engine/resolve.hpp"
#include "measure/generate_report.hpp"
#include "measure/ladder_report.hpp"
#include "measure/limits.hpp"
#include "measure/serving_report.hpp"

using namespace rung;

namespace {

std::vector<std::string> keys(const Json& json) {
  std::vector<std::string> names;
  for (const auto& [name, value] : json.items()) names.push_back(name);
  return names;
}

}  // namespace

TEST_CASE("a limit has the same words everywhere") {
  CHECK(describe(Rate{19.94e9, "read_bandwidth"}) == "19.9 GB/s read");
  CHECK(describe(Rate{180.06e9, "fma_rate"}) == "180.1 GFLOP/s FMA");
  CHECK(describe(Rate{7e11, "int8_rate"}) == "700.0 GOP/s int8");
  CHECK(describe(Rate{4e11, "bf16_rate"}) == "400.0 GFLOP/s bf16");
  CHECK(describe(NearestLimit{{1, "read_bandwidth"}, 0.531}) == "53 % of read");
  CHECK(describe(NearestLimit{{1, "fma_rate"}, 1.04}) == "104 % of FMA");
  const MachineLimits limits{.read_bytes_per_s = 19.94e9, .fma_flops_per_s = 180.4e9, .int8_ops_per_s = 7e11};
  CHECK(describe(limits) == "19.9 GB/s read, 180 GFLOP/s float32 FMA, 700 GOP/s int8");
}

TEST_CASE("samples and log-probabilities are in a generation's JSON only if they were asked for") {
  GenerateReport report;
  report.text = "a";
  report.token_ids = {1, 2};
  report.finish_reason = FinishReason::length;
  const std::vector<std::string> always = {"text",          "token_ids", "prompt_tokens", "completion_tokens",
                                           "finish_reason", "timings",   "memory",        "rungs",
                                           "seed"};
  CHECK(keys(to_json(report)) == always);
  CHECK(to_json(report)["completion_tokens"] == 2);
  report.samples = {{"a", {1, 2}, FinishReason::length, 7}, {"b", {3}, FinishReason::stop, 8}};
  report.logprobs = {{{1, "x", -0.5F}, {{1, "x", -0.5F}, {4, "y", -1.0F}}}};
  const Json json = to_json(report);
  CHECK(json["samples"][1].dump() == R"({"text":"b","token_ids":[3],"finish_reason":"stop","seed":8})");
  CHECK(json["logprobs"].dump() ==
        R"([{"id":1,"token":"x","logprob":-0.5,"top":[{"id":1,"token":"x","logprob":-0.5},)"
        R"({"id":4,"token":"y","logprob":-1.0}]}])");
}

TEST_CASE("a ladder is timed on the workloads that are asked for, the bottom rung first") {
  const LadderBase& ladder = variants().find("quantile");
  LadderTiming timing;
  timing.repeats = 1;
  timing.trials = "latencies";
  int polled = 0;
  double done = 0;
  timing.poll = [&] { ++polled; };
  timing.progress = [&](double d) { done = d; };
  LimitsMeter meter(1, read_loop(variants(), "auto", 1));
  const LadderReport report = measure_ladder(ladder, timing, meter, OtherLoad());
  REQUIRE(!report.rows.empty());
  CHECK(report.rows[0].rung == ladder.rungs()[0].name);
  CHECK(report.rows[0].factor == 1);
  CHECK(done == 1);
  CHECK(polled >= static_cast<int>(report.rows.size()));
  const Json json = to_json(report);
  CHECK(json["seam"] == "quantile");
  CHECK(json["rows"][0]["limit"] == report.rows[0].nearest.limit.name);
  timing.trials = "no such workload";
  CHECK_THROWS_AS(measure_ladder(ladder, timing, meter, OtherLoad()), UsageError);
}

TEST_CASE("a summary of no times is zero, and its percentiles are those of the rung") {
  const LatencySummary none = summarize({}, variants(), "sorted");
  CHECK((none.mean == 0 && none.p50 == 0 && none.p99 == 0));
  const LatencySummary some = summarize({3, 1, 2}, variants(), "sorted");
  CHECK((some.mean == 2 && some.p50 == 2 && some.p99 == 3));
  CHECK_THROWS_AS(summarize({}, variants(), "unheard"), UsageError);
}
