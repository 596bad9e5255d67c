// The list of all topics that register rungs.
//
// It consists of plain calls, because the linker drops objects of static libraries that only register
// themselves. To add a topic, include its header here and call its register_rungs().

#include "catalog/variants.hpp"

#include "01_challenges/kv_cache_analysis/kv_plan.hpp"
#include "01_challenges/latency_throughput/latency_throughput.hpp"
#include "01_challenges/long_sequence/long_sequence.hpp"
#include "01_challenges/memory_bandwidth/memory_bandwidth.hpp"
#include "01_challenges/one_token/one_token.hpp"
#include "02_engines/llama_cpp/llama_cpp.hpp"
#include "02_engines/tgi/tgi.hpp"
#include "03_techniques/attention/attention.hpp"
#include "03_techniques/batching/batching.hpp"
#include "03_techniques/kernel_fusion/kernel_fusion.hpp"
#include "03_techniques/kv_cache/kv_cache.hpp"
#include "03_techniques/linear/linear.hpp"
#include "03_techniques/prefix_caching/prefix_caching.hpp"
#include "03_techniques/quantization/quantization.hpp"
#include "03_techniques/sampling/sampling.hpp"
#include "03_techniques/scheduling/scheduling.hpp"
#include "03_techniques/tokenization/tokenization.hpp"
#include "06_benchmarks/metrics/metrics.hpp"
#include "06_benchmarks/optimization_impact/optimization_impact.hpp"
#include "06_benchmarks/workloads/workloads.hpp"

namespace rung {

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
  one_token::register_rungs(r);
  optimization_impact::register_rungs(r);
  quantization::register_rungs(r);
  sampling::register_rungs(r);
  prefix_caching::register_rungs(r);
  tgi::register_rungs(r);
  tokenization::register_rungs(r);
  scheduling::register_rungs(r);
  workloads::register_rungs(r);
  return r;
}

const Registry& variants() {
  static const Registry registry = make_variants();
  return registry;
}

}  // namespace rung
