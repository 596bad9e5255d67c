// The engine's loop. A step reads: sort by policy, schedule (which admits, grows the cache and preempts),
// make the batch, forward, sample, commit. Who is chosen is up to the rungs of `policy` and `scheduler`.

#include "engine/engine.hpp"

#include <algorithm>
#include <chrono>
#include <thread>

#include "engine/batch_builder.hpp"
#include "engine/resolve.hpp"
#include "seams/serving_simulation.hpp"

namespace rung {
Engine::Engine(std::shared_ptr<const Model> model, const Registry& registry, EngineConfig config)
    : model_(std::move(model)),
      config_(resolve_config(std::move(config), *model_)),
      rungs_(resolve_rungs(registry, config_, *model_)),
      device_(resolve_device(config_.device)),
      packed_(config_.cache_packed ? std::make_unique<PackedFile>(*model_, rungs_.at("linear"),
                                                                  config_.threads, config_.notice)
                                   : nullptr),
      transformer_(*model_, registry, config_, device_, packed_.get()),
      kv_(registry.ladder<KvCache>().make(config_.rung("kv"), kv_config(config_, model_->config, device_))),
      space_(
          *kv_,
          registry.ladder<PrefixCache>().make(
              rungs_["prefix_cache"] = resolve_prefix_cache(registry, config_, *kv_),
              prefix_cache_config(config_)),
          [](const ScheduledSequence& s, EngineKvSpace::Text& text) {
            static_cast<const Sequence&>(s).text_to(text);
          },
          device_, model_->config.layers, config_.swap_bytes),
      policy_(registry.ladder<Policy>().make(config_.rung("policy"), {})),
      scheduler_(registry.ladder<Scheduler>().make(config_.rung("scheduler"), scheduler_config(config_))),
      sampler_(registry.ladder<Sampler>().make(config_.rung("sampler"), {model_->config.vocab_size})) {
  if (packed_) packed_->save();
  host_logits_.resize(static_cast<std::size_t>(config_.max_step_outputs) *
                      static_cast<std::size_t>(model_->config.vocab_size));
}

bool Engine::step() {
  if (queues_.waiting.empty() && queues_.running.empty()) return false;
  const Timer scheduling;
  sort_by_policy(queues_, *policy_, clock_.seconds());
  plan_.clear();
  scheduler_->schedule(queues_, space_, clock_.seconds(), plan_);
  stats_.schedule_s += scheduling.seconds();
  if (plan_.empty()) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return true;
  }
  make_batch();
  const Timer computing;
  const Tensor logits = transformer_.forward(batch_, *kv_);
  device_.to_host(host_logits_.data(), logits.data, logits.bytes());
  stats_.forward_s += computing.seconds();
  ++stats_.steps;
  stats_.computed_tokens += static_cast<std::int64_t>(batch_.tokens.size());
  sample_and_commit();
  return true;
}

void Engine::make_batch() {
  batch_.clear();
  for (const Chunk& chunk : plan_) {
    const Sequence& s = sequence_of(chunk);
    append_rows(batch_, *kv_, s.kv, s.computed, chunk.count, chunk.samples() ? 1 : 0,
                [&s](int p) { return s.token(p); });
  }
}

// Row i of the logits belongs to the i-th chunk that samples.
void Engine::sample_and_commit() {
  const auto vocab = static_cast<std::size_t>(model_->config.vocab_size);
  std::size_t row = 0;
  for (const Chunk& chunk : plan_) {
    Sequence& s = sequence_of(chunk);
    const bool samples = chunk.samples();
    s.computed += chunk.count;
    policy_->computed(s, chunk.count, samples);
    if (!samples) continue;
    const std::span<const float> logits(&host_logits_[row++ * vocab], vocab);
    s.commit(sampler_->sample(logits, s.request.prompt, s.result.token_ids, s.request.sampling,
                              s.result.token_ids.size()),
             model_->tokenizer.get(), config_.context);
    ++stats_.output_tokens;
    if (s.finished()) {
      retire(s);
    } else if (s.output_tokens == 1) {
      space_.remember(s);  // others may begin with the same prompt
    }
  }
}

void Engine::retire(Sequence& sequence) {
  std::erase(queues_.running, &sequence);
  std::erase(queues_.waiting, &sequence);
  space_.close(sequence);
  stats_.preemptions += sequence.preemptions;
  stats_.cached_tokens += sequence.cached_tokens;
  policy_->finished(sequence);
}

int Engine::submit(Request request) {
  check_request(request, *model_, config_);
  Sequence& s = sequences_.emplace_back(next_id_, std::move(request), model_->tokenizer.get());
  s.arrival_s = clock_.seconds();
  queues_.waiting.push_back(&s);
  policy_->arrived(s);
  return next_id_++;
}

Sequence& Engine::find(int id) {
  for (Sequence& s : sequences_) {
    if (s.id == id) return s;
  }
  fail_usage("there is no request {}", id);
}

void Engine::cancel(int id) {
  Sequence& s = find(id);
  if (s.finished()) return;
  s.finish(FinishReason::cancelled);
  retire(s);
}

bool Engine::finished(int id) const {
  return std::any_of(sequences_.begin(), sequences_.end(),
                     [id](const Sequence& s) { return s.id == id && s.finished(); });
}

Result Engine::take(int id) {
  Sequence& s = find(id);
  if (!s.finished()) fail_usage("request {} is still running", id);
  Result result = std::move(s.result);
  sequences_.remove_if([id](const Sequence& other) { return other.id == id; });
  return result;
}

Result Engine::run(Request request, const std::function<bool()>& cancelled) {
  const int id = submit(std::move(request));
  while (!finished(id)) {
    if (cancelled && cancelled()) {
      cancel(id);
    } else {
      step();
    }
  }
  return take(id);
}

EngineMemory Engine::memory() const {
  EngineMemory memory;
  memory.weights_bytes = model_->weights.bytes();
  memory.packed_bytes = transformer_.packed_bytes();
  memory.packed_file_bytes = packed_ ? packed_->found_bytes() : 0;
  memory.kv_bytes = kv_->bytes();
  memory.workspace_bytes = transformer_.workspace_bytes() + host_logits_.size() * sizeof(float);
  return memory;
}

EngineStats Engine::stats() const {
  EngineStats stats = stats_;
  for (const ScheduledSequence* s : queues_.waiting) stats.preemptions += s->preemptions;
  for (const ScheduledSequence* s : queues_.running) stats.preemptions += s->preemptions;
  for (const ScheduledSequence* s : queues_.running) stats.cached_tokens += s->cached_tokens;
  stats.swaps = space_.swaps();
  stats.recomputed_tokens = space_.dropped_tokens();
  return stats;
}

}  // namespace rung
