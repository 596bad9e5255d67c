// Every rung on the same timed trials: sglang_bench [--benchmark_filter=radix]

#include "sglang.hpp"
#include "testing/topic_bench.hpp"

int main(int argc, char** argv) {
  rung::Registry registry;
  rung::sglang::register_rungs(registry);
  return rung::testing::bench_main(argc, argv, registry, "prefix_cache");
}
