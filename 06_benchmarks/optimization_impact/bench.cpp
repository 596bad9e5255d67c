// Every rung on the same timed trials: optimization_impact_bench [--benchmark_filter=median]

#include "optimization_impact.hpp"
#include "testing/topic_bench.hpp"

int main(int argc, char** argv) {
  rung::Registry registry;
  rung::optimization_impact::register_rungs(registry);
  return rung::testing::bench_main(argc, argv, registry, "ratio_interval");
}
