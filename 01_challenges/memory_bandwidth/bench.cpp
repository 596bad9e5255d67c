// Every rung on the same timed trials: memory_bandwidth_bench [--benchmark_filter=streams]

#include "memory_bandwidth.hpp"
#include "testing/topic_bench.hpp"

int main(int argc, char** argv) {
  rung::Registry registry;
  rung::memory_bandwidth::register_rungs(registry);
  return rung::testing::bench_main(argc, argv, registry, "bandwidth");
}
