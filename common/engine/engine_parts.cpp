#include "engine/engine_parts.hpp"

#include <utility>

#include "devices/device_list.hpp"
#include "engine/resolve.hpp"
#include "engine/sliding_window.hpp"

namespace rung {
namespace {

/// Makes the part of a seam from the name that parts.rungs has for it, so that the name and the part always
/// agree.
template <class Seam>
std::unique_ptr<Seam> make(const Registry& registry, const EngineParts& parts,
                           const typename Seam::Config& config) {
  return registry.ladder<Seam>().make(parts.rungs.at(std::string(Seam::kSeam)), config);
}

std::unique_ptr<KvCache> make_kv(const Registry& registry, const EngineParts& parts) {
  const EngineConfig& config = parts.config;
  auto kv = make<KvCache>(registry, parts, kv_config(config, parts.model->config, *parts.device));
  if (config.sinks < 0) return kv;
  return std::make_unique<SlidingCache>(std::move(kv), config.max_sequences, config.sinks, config.context,
                                        rotate_keys_of(*parts.transformer));
}

}  // namespace

EngineParts build_parts(std::shared_ptr<const Model> model, const Registry& registry, EngineConfig config) {
  EngineParts parts;
  parts.model = std::move(model);
  parts.config = resolve_config(registry, std::move(config), *parts.model);
  parts.rungs = resolve_rungs(registry, parts.config, *parts.model);
  const EngineConfig& c = parts.config;
  parts.device = &find_device(c.device).device();
  if (c.cache_packed)
    parts.packed = std::make_unique<PackedFile>(*parts.model, parts.rungs.at("linear"), c.threads, c.notice);
  parts.transformer =
      std::make_unique<Transformer>(*parts.model, registry, c, *parts.device, parts.packed.get());
  if (const auto rung = parts.rungs.find(std::string(OneToken::kSeam)); rung != parts.rungs.end()) {
    const ModelConfig& m = parts.model->config;
    const auto plain = plain_model(*parts.model, resolve_rope(registry, c, m));
    parts.one_token = std::make_unique<OneTokenPass>(make<OneToken>(registry, parts, {plain}), m.vocab_size,
                                                     c.max_step_outputs);
  }
  parts.kv = make_kv(registry, parts);
  parts.prefixes = make<PrefixCache>(registry, parts, prefix_cache_config(c));
  parts.policy = make<Policy>(registry, parts, {});
  parts.scheduler = make<Scheduler>(registry, parts, scheduler_config(c));
  parts.sampler = make<Sampler>(registry, parts, {parts.model->config.vocab_size});
  if (parts.packed) parts.packed->save();
  return parts;
}

}  // namespace rung
