// Every rung on the same timed trials: latency_throughput_bench [--benchmark_filter=fitted]

#include "latency_throughput.hpp"
#include "testing/topic_bench.hpp"

int main(int argc, char** argv) {
  rung::Registry registry;
  rung::latency_throughput::register_rungs(registry);
  return rung::testing::bench_main(argc, argv, registry, "step_cost");
}
