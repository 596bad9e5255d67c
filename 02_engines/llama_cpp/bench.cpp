// Every rung on the timed trials of trials.cpp: bin/llama_cpp_bench [--benchmark_filter=warm].

#include "llama_cpp.hpp"
#include "testing/topic_bench.hpp"

int main(int argc, char** argv) {
  rung::Registry registry;
  rung::llama_cpp::register_rungs(registry);
  return rung::testing::bench_main(argc, argv, registry, "loading");
}
