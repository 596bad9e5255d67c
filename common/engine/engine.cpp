// The engine's loop. A step reads: admit, make the batch (which grows the cache), forward, sample,
// commit. Schedulers and speculation (02_engines, 03_techniques) come in as other rungs of this loop.

#include "engine/engine.hpp"

#include <algorithm>

#include "engine/batch_builder.hpp"
#include "engine/resolve.hpp"

namespace rung {
Engine::Engine(std::shared_ptr<const Model> model, const Registry& registry, EngineConfig config)
    : model_(std::move(model)),
      config_(resolve_config(std::move(config), *model_)),
      rungs_(resolve_rungs(registry, config_, *model_)),
      device_(resolve_device(config_.device)),
      packed_(config_.cache_packed ? std::make_unique<PackedFile>(*model_, rungs_.at("linear"),
                                                                  config_.threads, config_.notice)
                                   : nullptr),
      transformer_(*model_, registry, config_, device_, packed_.get()) {
  if (packed_) packed_->save();
  kv_ = registry.ladder<KvCache>().make(config_.rung("kv"), kv_config(config_, model_->config, device_));
  sampler_ = registry.ladder<Sampler>().make(config_.rung("sampler"), {model_->config.vocab_size});
  host_logits_.resize(static_cast<std::size_t>(config_.max_step_outputs) *
                      static_cast<std::size_t>(model_->config.vocab_size));
}

bool Engine::step() {
  admit();
  make_batch();
  if (batch_.tokens.empty()) return false;
  const Tensor logits = transformer_.forward(batch_, *kv_);
  for (std::size_t i = 0; i < batch_sequences_.size(); ++i) {
    batch_sequences_[i]->computed = batch_.sequences[i].context_length;
  }
  sample_and_commit(logits);
  return true;
}

// First come, first served, while the cache has a free sequence.
void Engine::admit() {
  while (!waiting_.empty()) {
    const int kv = kv_->open();
    if (kv < 0) return;
    waiting_.front().kv = kv;
    running_.splice(running_.end(), waiting_, waiting_.begin());
  }
}

// Every running sequence has tokens that are not in the cache yet: one in decode, many in its prompt.
// Decode rows come first, so that nobody's next token waits for somebody else's long prompt; what is
// left of the step's budget goes to prompt chunks.
void Engine::make_batch() {
  batch_.clear();
  batch_sequences_.clear();
  sampled_.clear();
  int budget = config_.max_step_tokens;
  for (const bool decode : {true, false}) {
    for (Sequence& s : running_) {
      const int missing = s.length() - s.computed;
      if ((missing == 1) != decode || budget == 0) continue;
      const int count = std::min(missing, budget);
      const bool last = count == missing;
      if (last && static_cast<int>(sampled_.size()) == config_.max_step_outputs) continue;
      if (!kv_->grow(s.kv, s.computed + count)) continue;
      append_rows(batch_, *kv_, s.kv, s.computed, count, last ? 1 : 0, [&s](int p) { return s.token(p); });
      batch_sequences_.push_back(&s);
      if (last) sampled_.push_back(&s);
      budget -= count;
    }
  }
}

void Engine::sample_and_commit(const Tensor& logits) {
  const auto vocab = static_cast<std::size_t>(model_->config.vocab_size);
  device_.to_host(host_logits_.data(), logits.data, logits.bytes());
  for (std::size_t i = 0; i < sampled_.size(); ++i) {
    Sequence& s = *sampled_[i];
    const std::span<const float> row(&host_logits_[i * vocab], vocab);
    s.commit(sampler_->sample(row, s.request.prompt, s.result.token_ids, s.request.sampling,
                              s.result.token_ids.size()),
             model_->tokenizer.get(), config_.context);
    if (s.finished()) retire(s);
  }
}

void Engine::retire(Sequence& sequence) {
  const auto same = [&](const Sequence& s) { return &s == &sequence; };
  for (std::list<Sequence>* queue : {&running_, &waiting_}) {
    const auto found = std::find_if(queue->begin(), queue->end(), same);
    if (found == queue->end()) continue;
    if (found->kv >= 0) kv_->close(found->kv);
    found->kv = -1;
    finished_.splice(finished_.end(), *queue, found);
    return;
  }
}

int Engine::submit(Request request) {
  check_request(request, *model_, config_);
  waiting_.emplace_back(next_id_, std::move(request), model_->tokenizer.get());
  return next_id_++;
}

Sequence& Engine::find(int id) {
  for (std::list<Sequence>* queue : {&waiting_, &running_, &finished_}) {
    for (Sequence& s : *queue) {
      if (s.id == id) return s;
    }
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
  return std::any_of(finished_.begin(), finished_.end(), [id](const Sequence& s) { return s.id == id; });
}

Result Engine::take(int id) {
  Sequence& s = find(id);
  if (!s.finished()) fail_usage("request {} is still running", id);
  Result result = std::move(s.result);
  finished_.remove_if([id](const Sequence& other) { return other.id == id; });
  return result;
}

Result Engine::run(Request request, const std::function<bool()>& cancelled) {
  const int id = submit(std::move(request));
  while (!finished(id)) {
    if (cancelled && cancelled()) {
      cancel(id);
    } else if (!step()) {
      fail("request {} cannot go on: the KV cache has no room for it; use a larger --ctx", id);
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

}  // namespace rung
