// Every rung on the same timed trials: batching_bench [--benchmark_filter=chunked]

#include "batching.hpp"
#include "testing/topic_bench.hpp"

int main(int argc, char** argv) {
  rung::Registry registry;
  rung::batching::register_rungs(registry);
  return rung::testing::bench_main(argc, argv, registry, "scheduler");
}
