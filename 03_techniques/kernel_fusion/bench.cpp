// Every rung on the same timed trials: kernel_fusion_bench [--benchmark_filter=add_norm]

#include "kernel_fusion.hpp"
#include "testing/topic_bench.hpp"

int main(int argc, char** argv) {
  rung::Registry registry;
  rung::kernel_fusion::register_rungs(registry);
  return rung::testing::bench_main(argc, argv, registry, "fusion");
}
