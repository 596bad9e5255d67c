// Every rung on the same timed trials: kv_cache_analysis_bench [--benchmark_filter=blocks]

#include "kv_plan.hpp"
#include "testing/topic_bench.hpp"

int main(int argc, char** argv) {
  rung::Registry registry;
  rung::kv_cache_analysis::register_rungs(registry);
  return rung::testing::bench_main(argc, argv, registry, "kv_plan");
}
