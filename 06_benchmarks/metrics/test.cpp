// Every rung on the trials, what each keeps, and the metrics on a run whose times are known.

#include <cmath>

#include "core/percentile.hpp"
#include "core/rng.hpp"
#include "metrics.hpp"
#include "seams/serving_metrics.hpp"
#include "testing/topic_test.hpp"

using namespace rung;

namespace {

const Ladder<Quantile>& ladder() { return testing::ladder_of<Quantile, metrics::register_rungs>(); }

}  // namespace

TEST_CASE("every rung finds the quantiles to within what it promises") {
  testing::judge_all(testing::registry_of<metrics::register_rungs>(), "quantile");
}

TEST_CASE("sketches keep the same whatever comes; the exact rungs keep everything") {
  for (const char* rung : {"log_histogram", "t_digest"}) {
    const auto few = ladder().make(rung, {}), many = ladder().make(rung, {});
    Rng rng(3);
    for (int i = 0; i < 300000; ++i) {
      const double value = std::exp(3 * rng.normal());
      if (i < 30000) few->add(value);
      many->add(value);
    }
    static_cast<void>(few->value(0.5));
    static_cast<void>(many->value(0.5));
    INFO(rung << " " << few->bytes() << " " << many->bytes());
    CHECK(static_cast<double>(many->bytes()) < 1.1 * static_cast<double>(few->bytes()));
    CHECK(many->bytes() < 50000);
  }
  const auto all = ladder().make("select", {});
  for (int i = 0; i < 1000; ++i) all->add(i);
  CHECK(all->bytes() == 8000);
}

TEST_CASE("log_histogram: values outside its range count as 0 or as the most") {
  const auto histogram = ladder().make("log_histogram", {});
  for (const double value : {0.0, 1e-12, 1e30}) histogram->add(value);
  CHECK(histogram->value(0.5) == 0);
  CHECK(histogram->value(1) == Approx(1e9).epsilon(0.01));
}

TEST_CASE("a value may come in after a question") {
  for (const RungInfo& info : ladder().rungs()) {
    if (info.exercise) continue;
    const auto quantile = ladder().make(info.name, {});
    quantile->add(1);
    CHECK(quantile->value(1) == Approx(1).epsilon(0.011));
    quantile->add(2);
    INFO(info.name);
    CHECK(quantile->value(1) == Approx(2).epsilon(0.011));
    CHECK(quantile->value(0.5) == Approx(1).epsilon(0.011));
  }
}

TEST_CASE("errors that cannot be promised are refused") {
  QuantileConfig config;
  config.relative_error = 0;
  CHECK_THROWS_AS(ladder().make("log_histogram", config), UsageError);
  config = {};
  config.compression = 1;
  CHECK_THROWS_AS(ladder().make("t_digest", config), UsageError);
}

TEST_CASE("percentiles are of the nearest rank") {
  std::vector<double> values;
  for (int i = 100; i >= 1; --i) values.push_back(i);
  CHECK(percentile(values, 0.5) == 50);
  CHECK(percentile(values, 0.99) == 99);
  CHECK(percentile(values, 1) == 100);
  CHECK(percentile(values, 0) == 1);
  CHECK(percentile({3}, 0.01) == 3);
  CHECK(percentile({}, 0.5) == 0);
}

TEST_CASE("metrics of a run whose times are known") {
  // Two requests: tokens at 1.5, 1.7, 2.1 and, of one that came at 2, a single one at 4.
  std::vector<ServedRequest> served(2);
  served[0] = {1, 1.5, 2.1, 100, 3, 60, 0};
  served[1] = {2, 4, 4, 50, 1, 0, 0};
  CHECK(served[0].ttft_s() == Approx(0.5));
  CHECK(served[0].e2e_s() == Approx(1.1));
  CHECK(served[0].tpot_s() == Approx(0.3));  // (1.1 - 0.5) / 2
  CHECK(served[1].tpot_s() == 0);            // so that a target for it is kept
  const ServingMetrics m = serving_metrics(served, {0.6, 0.35, 0});
  CHECK(m.duration_s == 4);
  CHECK(m.request_throughput() == Approx(0.5));
  CHECK(m.output_throughput() == Approx(1));
  CHECK(m.total_token_throughput() == Approx(154.0 / 4));
  CHECK(m.kept_targets == 1);
  CHECK(m.request_goodput() == Approx(0.25));
  CHECK(m.tpot_s.size() == 1);
  CHECK(m.cache_hit_rate() == Approx(0.4));
  CHECK(m.hit_ttft_s == std::vector<double>{served[0].ttft_s()});
  CHECK(m.miss_ttft_s == std::vector<double>{served[1].ttft_s()});
  CHECK(serving_metrics(served, {0, 0, 1.05}).kept_targets == 0);
  CHECK(serving_metrics(served, {}).kept_targets == 2);
}
