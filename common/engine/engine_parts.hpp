#pragma once
// What an engine is made of, and the one place where it is decided: build_parts() resolves every rung once,
// makes every part from it and records its name.

#include <map>
#include <memory>
#include <string>

#include "core/registry.hpp"
#include "engine/engine_config.hpp"
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

/// Members are destroyed in the opposite order: each may use those before it.
struct EngineParts {
  std::shared_ptr<const Model> model;
  EngineConfig config;                       // every size filled in
  std::map<std::string, std::string> rungs;  // seam -> rung in use, which is never `auto`
  Device* device = nullptr;                  // not owned
  std::unique_ptr<PackedFile> packed;        // null unless config.cache_packed
  std::unique_ptr<Transformer> transformer;
  std::unique_ptr<KvCache> kv;
  std::unique_ptr<PrefixCache> prefixes;
  std::unique_ptr<Policy> policy;
  std::unique_ptr<Scheduler> scheduler;
  std::unique_ptr<Sampler> sampler;
};

/// Takes all memory that the engine will ever use, after everything that can be refused was refused.
/// `registry` outlives the parts. Throws UsageError for invalid sizes and unknown rungs, and Error for rungs
/// that do not support this model. A test may replace a part before it gives the parts to an Engine.
EngineParts build_parts(std::shared_ptr<const Model> model, const Registry& registry, EngineConfig config);

}  // namespace rung
