// Every rung on the same timed trials: workloads_bench [--benchmark_filter=gamma]

#include "testing/topic_bench.hpp"
#include "workloads.hpp"

int main(int argc, char** argv) {
  rung::Registry registry;
  rung::workloads::register_rungs(registry);
  return rung::testing::bench_main(argc, argv, registry, "arrivals");
}
