#pragma once
// The parts of an engine. build_parts() is the only place that chooses them: it resolves each rung once,
// makes the part from it, and records the rung's name.

#include <map>
#include <memory>
#include <string>

#include "core/registry.hpp"
#include "engine/engine_config.hpp"
#include "engine/one_token_pass.hpp"
#include "engine/packed_file.hpp"
#include "engine/transformer.hpp"
#include "model/model.hpp"
#include "seams/device.hpp"
#include "seams/kv_cache.hpp"
#include "seams/policy.hpp"
#include "seams/prefix_cache.hpp"
#include "seams/sampler.hpp"
#include "seams/scheduler.hpp"

namespace rung {

/// A member may use the members that are declared before it, because members are destroyed in reverse order.
struct EngineParts {
  std::shared_ptr<const Model> model;
  EngineConfig config;                       // with all defaults filled in
  std::map<std::string, std::string> rungs;  // seam -> rung in use, which is never `auto`
  Device* device = nullptr;                  // not owned
  std::unique_ptr<PackedFile> packed;        // null unless config.cache_packed
  std::unique_ptr<Transformer> transformer;
  std::unique_ptr<OneTokenPass>
      one_token;  // null unless a rung of it was named; computes instead of `transformer`
  std::unique_ptr<KvCache> kv;
  std::unique_ptr<PrefixCache> prefixes;
  std::unique_ptr<Policy> policy;
  std::unique_ptr<Scheduler> scheduler;
  std::unique_ptr<Sampler> sampler;
};

/// Makes all parts and allocates their memory, after it has rejected invalid configurations. `registry` must
/// outlive the parts. Throws UsageError for invalid sizes and unknown rungs, and Error for rungs that do not
/// support this model. A test may replace a part before it passes the parts to an Engine.
EngineParts build_parts(std::shared_ptr<const Model> model, const Registry& registry, EngineConfig config);

}  // namespace rung
