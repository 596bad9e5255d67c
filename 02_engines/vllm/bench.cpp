// Every rung on the same timed trials: vllm_bench [--benchmark_filter=fair_share]

#include "testing/topic_bench.hpp"
#include "vllm.hpp"

int main(int argc, char** argv) {
  rung::Registry registry;
  rung::vllm::register_rungs(registry);
  return rung::testing::bench_main(argc, argv, registry, "policy");
}
