// Every rung on the same timed trials: quantization_bench [--benchmark_filter=search]

#include "quantization.hpp"
#include "testing/topic_bench.hpp"

int main(int argc, char** argv) {
  rung::Registry registry;
  rung::quantization::register_rungs(registry);
  return rung::testing::bench_main(argc, argv, registry, "quantizer");
}
