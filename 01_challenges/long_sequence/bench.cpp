// Every rung on the same timed trials: long_sequence_bench [--benchmark_filter=yarn]

#include "long_sequence.hpp"
#include "testing/topic_bench.hpp"

int main(int argc, char** argv) {
  rung::Registry registry;
  rung::long_sequence::register_rungs(registry);
  return rung::testing::bench_main(argc, argv, registry, "rope");
}
