// The whole catalogue of the house on one page: who registers which rungs.
//
// Plain calls, because static libraries drop objects that only register themselves. To add a topic:
// declare its register_rungs here and call it.

#include "engine/variants.hpp"

namespace rung {

namespace attention {
void register_rungs(Registry& registry);  // 03_techniques/attention
}
namespace batching {
void register_rungs(Registry& registry);  // 03_techniques/batching
}
namespace kernel_fusion {
void register_rungs(Registry& registry);  // 03_techniques/kernel_fusion
}
namespace kv_cache {
void register_rungs(Registry& registry);  // 03_techniques/kv_cache
}
namespace kv_cache_analysis {
void register_rungs(Registry& registry);  // 01_challenges/kv_cache_analysis
}
namespace latency_throughput {
void register_rungs(Registry& registry);  // 01_challenges/latency_throughput
}
namespace linear {
void register_rungs(Registry& registry);  // 03_techniques/linear
}
namespace llama_cpp {
void register_rungs(Registry& registry);  // 02_engines/llama_cpp
}
namespace long_sequence {
void register_rungs(Registry& registry);  // 01_challenges/long_sequence
}
namespace memory_bandwidth {
void register_rungs(Registry& registry);  // 01_challenges/memory_bandwidth
}
namespace metrics {
void register_rungs(Registry& registry);  // 06_benchmarks/metrics
}
namespace quantization {
void register_rungs(Registry& registry);  // 03_techniques/quantization
}
namespace sampling {
void register_rungs(Registry& registry);  // 03_techniques/sampling
}
namespace sglang {
void register_rungs(Registry& registry);  // 02_engines/sglang
}
namespace tgi {
void register_rungs(Registry& registry);  // 02_engines/tgi
}
namespace tokenization {
void register_rungs(Registry& registry);  // 03_techniques/tokenization
}
namespace vllm {
void register_rungs(Registry& registry);  // 02_engines/vllm
}
namespace workloads {
void register_rungs(Registry& registry);  // 06_benchmarks/workloads
}

Registry make_variants() {
  Registry r;
  attention::register_rungs(r);
  batching::register_rungs(r);
  kernel_fusion::register_rungs(r);
  kv_cache::register_rungs(r);
  kv_cache_analysis::register_rungs(r);
  latency_throughput::register_rungs(r);
  linear::register_rungs(r);
  llama_cpp::register_rungs(r);
  long_sequence::register_rungs(r);
  memory_bandwidth::register_rungs(r);
  metrics::register_rungs(r);
  quantization::register_rungs(r);
  sampling::register_rungs(r);
  sglang::register_rungs(r);
  tgi::register_rungs(r);
  tokenization::register_rungs(r);
  vllm::register_rungs(r);
  workloads::register_rungs(r);
  return r;
}

const Registry& variants() {
  static const Registry registry = make_variants();
  return registry;
}

}  // namespace rung
