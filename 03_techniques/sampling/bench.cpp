// Every rung on the timed trials of trials.cpp: bin/sampling_bench [--benchmark_filter=top-p].

#include "sampling.hpp"
#include "testing/topic_bench.hpp"

int main(int argc, char** argv) {
  rung::Registry registry;
  rung::sampling::register_rungs(registry);
  return rung::testing::bench_main(argc, argv, registry, "sampler");
}
