// Every rung on the same timed trials: kv_cache_bench [--benchmark_filter=paged]

#include "kv_cache.hpp"
#include "testing/topic_bench.hpp"

int main(int argc, char** argv) {
  rung::Registry registry;
  rung::kv_cache::register_rungs(registry);
  return rung::testing::bench_main(argc, argv, registry, "kv");
}
