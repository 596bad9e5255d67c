#include "seams/kv_plan.hpp"

namespace rung {

void KvPlanConfig::validate() const {
  shape.validate();
  if (reserve < 0 || reserve > kMaxPlanTokens) {
    fail_usage("{} tokens reserved per sequence cannot be; 0 to {} are possible", reserve, kMaxPlanTokens);
  }
  if (block_tokens < 1 || block_tokens > 1 << 20) {
    fail_usage("blocks of {} tokens cannot be; 1 to {} are possible", block_tokens, 1 << 20);
  }
  if (reserve > 0 && block_tokens > 1) {
    fail_usage("memory is either reserved per sequence or handed out in blocks; set one of the two");
  }
  const DTypeTraits& format = traits(type);
  if (format.to_float == nullptr) fail_usage("keys and values in {} make no sense", format.name);
  for (const KvLayer& layer : shape.layers) {
    const int block = format.block_elements;
    if (layer.elements() % block != 0 || (layer.latent == 0 && layer.key_dim % block != 0)) {
      fail("{}: {} stores blocks of {} numbers, which {} numbers per {} do not fill; use a 16-bit type",
           shape.name, format.name, block, layer.latent > 0 ? layer.elements() : layer.key_dim,
           layer.latent > 0 ? "latent" : "head");
    }
  }
}

}  // namespace rung
