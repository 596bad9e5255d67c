// The whole catalogue of the house on one page: who registers which rungs.
//
// Plain calls, because static libraries drop objects that only register themselves. To add a topic:
// declare its register_rungs here and call it.

#include "engine/variants.hpp"

#include "engine/contiguous_kv.hpp"

namespace rung {

namespace attention {
void register_rungs(Registry& registry);  // 03_techniques/attention
}
namespace kernel_fusion {
void register_rungs(Registry& registry);  // 03_techniques/kernel_fusion
}
namespace kv_cache_analysis {
void register_rungs(Registry& registry);  // 01_challenges/kv_cache_analysis
}
namespace long_sequence {
void register_rungs(Registry& registry);  // 01_challenges/long_sequence
}
namespace linear {
void register_rungs(Registry& registry);  // 03_techniques/linear
}
namespace llama_cpp {
void register_rungs(Registry& registry);  // 02_engines/llama_cpp
}
namespace sampling {
void register_rungs(Registry& registry);  // 03_techniques/sampling
}
namespace tokenization {
void register_rungs(Registry& registry);  // 03_techniques/tokenization
}
namespace tgi {
void register_rungs(Registry& registry);  // 02_engines/tgi
}

Registry make_variants() {
  Registry r;
  attention::register_rungs(r);
  register_contiguous_kv(r);
  kernel_fusion::register_rungs(r);
  kv_cache_analysis::register_rungs(r);
  linear::register_rungs(r);
  llama_cpp::register_rungs(r);
  long_sequence::register_rungs(r);
  sampling::register_rungs(r);
  tgi::register_rungs(r);
  tokenization::register_rungs(r);
  return r;
}

const Registry& variants() {
  static const Registry registry = make_variants();
  return registry;
}

}  // namespace rung
