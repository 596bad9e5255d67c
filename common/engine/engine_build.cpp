// What an engine is made of: every part once, from the rungs that its configuration names.

#include <utility>

#include "engine/engine.hpp"
#include "engine/resolve.hpp"

namespace rung {

Engine::Engine(std::shared_ptr<const Model> model, const Registry& registry, EngineConfig config)
    : model_(std::move(model)),
      config_(resolve_config(registry, std::move(config), *model_)),
      rungs_(resolve_rungs(registry, config_, *model_)),
      device_(resolve_device(config_.device)),
      log_(clock_, config_.event_log),
      packed_(config_.cache_packed ? std::make_unique<PackedFile>(*model_, rungs_.at("linear"),
                                                                  config_.threads, config_.notice)
                                   : nullptr),
      transformer_(*model_, registry, config_, device_, packed_.get()),
      kv_(registry.ladder<KvCache>().make(config_.rung("kv"), kv_config(config_, model_->config, device_))),
      window_(config_.sinks >= 0
                  ? std::make_unique<SlidingWindow>(transformer_, *kv_, config_.sinks, config_.context)
                  : nullptr),
      space_(
          *kv_,
          registry.ladder<PrefixCache>().make(
              rungs_["prefix_cache"] = resolve_prefix_cache(registry, config_, *kv_),
              prefix_cache_config(config_)),
          [](const ScheduledSequence& s, EngineKvSpace::Text& text) {
            static_cast<const Sequence&>(s).text_to(text);
          },
          window_.get(), device_, model_->config.layers, config_.swap_bytes,
          PreemptionCost(config_.preempt, config_.copy_bytes_per_s, config_.recompute_tokens_per_s), log_),
      policy_(registry.ladder<Policy>().make(config_.rung("policy"), {})),
      scheduler_(registry.ladder<Scheduler>().make(config_.rung("scheduler"), scheduler_config(config_))),
      sampler_(registry.ladder<Sampler>().make(config_.rung("sampler"), {model_->config.vocab_size})) {
  if (packed_) packed_->save();
  host_logits_.resize(static_cast<std::size_t>(config_.max_step_outputs) *
                      static_cast<std::size_t>(model_->config.vocab_size));
}

}  // namespace rung
