#pragma once
// Turns the user's configuration into the configuration from which the engine is built. Everything that can
// be rejected is rejected here, before any memory is allocated.

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

/// Calls load_model() with the configured rungs for reading files and for tokenization. Throws UsageError for
/// a rung that does not exist.
Model load_with_rungs(const Registry& registry, const EngineConfig& config, const std::string& path);

/// Returns the tokenizer with its merge step replaced by a rung of seam `tokenization`. `auto` keeps the
/// tokenizer's own merge step, which does not depend on the chapters. Throws UsageError for a rung that does
/// not exist, and Error for a tokenizer without a merge step.
std::shared_ptr<const Tokenizer> with_rung(const Registry& registry, const std::string& rung,
                                           std::shared_ptr<const Tokenizer> tokenizer);

/// Fills in the defaults and checks every size. Throws UsageError for an invalid size. If `auto` or `float32`
/// would make more copies of weights than fit into memory, the seam `linear` gets rungs that read the weights
/// from the file, and config.notice is called with a message about it.
EngineConfig resolve_config(const Registry& registry, EngineConfig config, const Model& model);

/// Returns a map from each seam to the rung in use. For `linear`, the names of the different rungs of all
/// weights are joined by "+". Throws UsageError for a rung that does not exist, and Error for rungs that do
/// not support this model or each other.
std::map<std::string, std::string> resolve_rungs(const Registry& registry, const EngineConfig& config,
                                                 const Model& model);

/// Returns the largest allowed --ctx: the context length that the model was trained for, or kMostStretch
/// times that length if the user named a rung of seam `rope` that extends it.
int longest_context(const EngineConfig& config, const ModelConfig& model);
/// Returns the rotation frequencies of the model, as the rung of seam `rope` computes them.
RopeFrequencies resolve_rope(const Registry& registry, const EngineConfig& config, const ModelConfig& model);

KvConfig kv_config(const EngineConfig& config, const ModelConfig& model, Device& device);
PrefixCacheConfig prefix_cache_config(const EngineConfig& config);
SchedulerConfig scheduler_config(const EngineConfig& config);
/// `ops` and `tile` (see FusionConfig) must outlive everything that is built from the result.
FusionConfig fusion_config(const EngineConfig& config, const ModelConfig& model, const Ops& ops,
                           const Ops* tile, const Workplace& place);
AttentionConfig attention_config(const EngineConfig& config, const ModelConfig& model);

/// Returns the limits of an engine for its requests.
RequestLimits request_limits(const EngineConfig& config, const ModelConfig& model);

}  // namespace rung
