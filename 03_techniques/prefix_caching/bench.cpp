// Every rung on the same timed trials: prefix_caching_bench [--benchmark_filter=radix]

#include "prefix_caching.hpp"
#include "testing/topic_bench.hpp"

int main(int argc, char** argv) {
  rung::Registry registry;
  rung::prefix_caching::register_rungs(registry);
  return rung::testing::bench_main(argc, argv, registry, "prefix_cache");
}
