// Every rung on the timed trials of trials.cpp: bin/linear_bench [--benchmark_filter=decode].

#include "linear.hpp"
#include "testing/topic_bench.hpp"

int main(int argc, char** argv) {
  rung::Registry registry;
  rung::linear::register_rungs(registry);
  return rung::testing::bench_main(argc, argv, registry, "linear");
}
