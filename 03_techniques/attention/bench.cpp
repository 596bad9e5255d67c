// Every rung on the same timed trials: attention_bench [--benchmark_filter=flash] [--benchmark_repetitions=9]

#include "attention.hpp"
#include "testing/topic_bench.hpp"

int main(int argc, char** argv) {
  rung::Registry registry;
  rung::attention::register_rungs(registry);
  return rung::testing::bench_main(argc, argv, registry, "attention");
}
