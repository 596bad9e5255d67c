// Every rung on the same timed trials: one_token_bench [--benchmark_filter=kv_cache]

#include "one_token.hpp"
#include "testing/topic_bench.hpp"

int main(int argc, char** argv) {
  rung::Registry registry;
  rung::one_token::register_rungs(registry);
  return rung::testing::bench_main(argc, argv, registry, "one_token");
}
