#pragma once
// From what the user asked for to what the engine is built from; everything that can be refused is
// refused here, before any memory is taken.

#include <map>
#include <memory>
#include <string>

#include "core/registry.hpp"
#include "engine/engine_config.hpp"
#include "model/model.hpp"
#include "model/rope.hpp"
#include "seams/attention.hpp"
#include "seams/device.hpp"
#include "seams/fusion.hpp"
#include "seams/kv_cache.hpp"
#include "seams/ops.hpp"
#include "seams/prefix_cache.hpp"
#include "seams/request.hpp"
#include "seams/scheduler.hpp"

namespace rung {

/// load_model() with the rungs that read files. Throws UsageError for a rung that does not exist.
Model load_with_rungs(const Registry& registry, const EngineConfig& config, const std::string& path);

/// The tokenizer with its merge step done by a rung of seam `tokenization`; `auto` leaves the one it has,
/// which needs nothing from the chapters. Throws UsageError for a rung that does not exist, Error for a
/// tokenizer that has no such step.
std::shared_ptr<const Tokenizer> with_rung(const Registry& registry, const std::string& rung,
                                           std::shared_ptr<const Tokenizer> tokenizer);

/// Fills in the defaults and checks every size. Throws UsageError. Where `auto` or `float32` would keep more
/// copies of weights than memory has room for, the seam `linear` gets rungs that read them where they are,
/// and config.notice is called with a sentence about it.
EngineConfig resolve_config(const Registry& registry, EngineConfig config, const Model& model);

/// seam -> rung in use. For `linear` the rungs of all weights, joined by "+" where they differ. Throws
/// UsageError for a rung that does not exist, and Error for rungs that do not support this model or each
/// other.
std::map<std::string, std::string> resolve_rungs(const Registry& registry, const EngineConfig& config,
                                                 const Model& model);

/// The device called `name`; UsageError that lists those of this build otherwise.
Device& resolve_device(const std::string& name);

/// The operations between the products for a device. Throws Error for a device that has none.
Ops resolve_ops(Device& device, int threads);

/// The most tokens that --ctx may ask for: what the model was trained for, or kMostStretch times that where a
/// rung of seam rope was named that carries it further.
int longest_context(const EngineConfig& config, const ModelConfig& model);
/// The angles of the model's positions, by the rung of seam rope.
RopeFrequencies resolve_rope(const Registry& registry, const EngineConfig& config, const ModelConfig& model);

KvConfig kv_config(const EngineConfig& config, const ModelConfig& model, Device& device);
PrefixCacheConfig prefix_cache_config(const EngineConfig& config);
SchedulerConfig scheduler_config(const EngineConfig& config);
/// `ops` and `tile` (see FusionConfig) must outlive what is made of this.
FusionConfig fusion_config(const EngineConfig& config, const ModelConfig& model, const Ops& ops,
                           const Ops* tile, const Workplace& place);
AttentionConfig attention_config(const EngineConfig& config, const ModelConfig& model);

/// What requests may ask of an engine.
RequestLimits request_limits(const EngineConfig& config, const ModelConfig& model);

}  // namespace rung
