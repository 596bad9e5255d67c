// Every rung on the timed trials of trials.cpp: bin/tokenization_bench [--benchmark_filter=words].

#include "testing/topic_bench.hpp"
#include "tokenization.hpp"

int main(int argc, char** argv) {
  rung::Registry registry;
  rung::tokenization::register_rungs(registry);
  return rung::testing::bench_main(argc, argv, registry, "tokenization");
}
