// Every rung on the same timed trials: metrics_bench [--benchmark_filter=log_histogram]

#include "metrics.hpp"
#include "testing/topic_bench.hpp"

int main(int argc, char** argv) {
  rung::Registry registry;
  rung::metrics::register_rungs(registry);
  return rung::testing::bench_main(argc, argv, registry, "quantile");
}
