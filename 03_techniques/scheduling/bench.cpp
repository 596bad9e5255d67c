// Every rung on the same timed trials: scheduling_bench [--benchmark_filter=fair_share]

#include "scheduling.hpp"
#include "testing/topic_bench.hpp"

int main(int argc, char** argv) {
  rung::Registry registry;
  rung::scheduling::register_rungs(registry);
  return rung::testing::bench_main(argc, argv, registry, "policy");
}
