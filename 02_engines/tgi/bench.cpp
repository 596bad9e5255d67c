// Every rung on the same timed trials: tgi_bench [--benchmark_filter=scan]

#include "testing/topic_bench.hpp"
#include "tgi.hpp"

int main(int argc, char** argv) {
  rung::Registry registry;
  rung::tgi::register_rungs(registry);
  return rung::testing::bench_main(argc, argv, registry, "safetensors_index");
}
