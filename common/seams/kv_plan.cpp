// Checks the configuration of a plan for a KV cache.

#include "seams/kv_plan.hpp"

namespace rung {

void KvPlanConfig::validate() const {
  shape.validate();
  if (reserve < 0 || reserve > kMaxPlanTokens) {
    fail_usage("the number of tokens reserved per sequence is {}; it must be from 0 to {}", reserve,
               kMaxPlanTokens);
  }
  if (block_tokens < 1 || block_tokens > 1 << 20) {
    fail_usage("blocks of {} tokens are impossible; use a block size from 1 to {}", block_tokens, 1 << 20);
  }
  if (reserve > 0 && block_tokens > 1) {
    fail_usage(
        "{} tokens are reserved per sequence, but memory is also allocated in blocks of {}; set one of the "
        "two",
        reserve, block_tokens);
  }
  const DTypeTraits& format = traits(type);
  if (format.to_float == nullptr)
    fail_usage("keys and values cannot have the format {}; use f16 or another format of weights",
               format.name);
  for (const KvLayer& layer : shape.layers) {
    const int block = format.block_elements;
    if (layer.elements() % block != 0 || (layer.latent == 0 && layer.key_dim % block != 0)) {
      fail("{}: {} stores blocks of {} numbers, but {} numbers per {} fill no whole block; use a 16-bit type",
           shape.name, format.name, block, layer.latent > 0 ? layer.elements() : layer.key_dim,
           layer.latent > 0 ? "latent" : "head");
    }
  }
}

}  // namespace rung
