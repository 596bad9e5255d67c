// What the engine says of itself: events, statistics, memory, and why it is stuck.

#include <algorithm>

#include "engine/engine.hpp"

namespace rung {

// Before the chunks are counted as computed.
void Engine::record_plan() {
  if (!log_.on()) return;
  const double seconds = times_.forward_end_s - times_.forward_s;
  const auto rows = static_cast<int>(batch_.tokens.size());
  const auto sequences = static_cast<int>(plan_.size());
  log_.add({.kind = EventKind::schedule,
            .at_s = times_.begin_s,
            .seconds = times_.planned_s - times_.begin_s,
            .tokens = rows,
            .context = sequences});
  log_.add({.kind = EventKind::forward,
            .at_s = times_.forward_s,
            .seconds = seconds,
            .tokens = rows,
            .context = sequences});
  for (const Chunk& chunk : plan_) {
    const ScheduledSequence& s = *chunk.sequence;
    // A prompt, or a text that is computed again: everything but one token that was sampled before.
    const bool prefill = chunk.count - chunk.drafts > 1 || s.computed < s.prompt_tokens;
    log_.add({.kind = EventKind::chunk,
              .sequence = s.id,
              .at_s = times_.forward_s,
              .seconds = seconds,
              .tokens = chunk.count,
              .context = s.computed + chunk.count,
              .other = prefill ? 1 : -1});
  }
}

void Engine::record_step() {
  log_.add({.kind = EventKind::step,
            .at_s = times_.begin_s,
            .seconds = log_.now() - times_.begin_s,
            .tokens = static_cast<int>(batch_.tokens.size()),
            .context = static_cast<int>(plan_.size())});
  watch_storms();
  stats_.step_s += clock_.seconds() - times_.begin_s;
}

void Engine::watch_storms() {
  if (!storms_.after_step({stats_.steps, stats_.computed_tokens, stats_.recomputed_tokens,
                           space_.preemptions(), stats_.finished})) {
    return;
  }
  if (stats_.storms++ > 0 || !config_.notice) return;  // said once: it would be said every second
  const StormWatch::Counts& w = storms_.window();
  config_.notice(fmt::format(
      "preemption storm: in {} steps sequences lost their place in the KV cache {} times while {} requests "
      "ended, and {:.0f} % of the computed tokens had been computed before (more than {:.0f} preemptions per "
      "request or {:.0f} % is too much); let fewer than {} sequences run at a time (--max-sequences) or give "
      "the cache more memory (--kv-budget)",
      w.steps, w.preemptions, w.finished, 100 * storms_.recomputed_share(), StormWatch::kMostPerFinished,
      100 * StormWatch::kMostRecomputed, config_.max_sequences));
}

void Engine::fail_stuck() const {
  std::string states;
  for (const Sequence& s : sequences_) {
    if (s.finished()) continue;
    const bool held = std::count(held_.begin(), held_.end(), &s) > 0;
    states += fmt::format("; request {} is {} with {} of {} tokens computed", s.id,
                          held ? "held" : state_name(s.state), s.computed, s.length());
    if (s.kv >= 0) states += fmt::format(" in {} blocks", kv_->block_table(s.kv).size());
    if (s.fork_of != nullptr) states += fmt::format(", forked from request {}", s.fork_of->id);
  }
  const KvUse use = kv_->use();
  fail(
      "the engine is stuck, which is a mistake in scheduler '{}' or in the engine itself: nothing is planned "
      "and "
      "nothing can change. Of {} slots in the KV cache {} are taken and {} of these only kept for later{}",
      rungs_.at("scheduler"), use.slots, use.taken, use.kept, states);
}

ServiceSnapshot Engine::snapshot() const {
  ServiceSnapshot snapshot;
  const double now_s = clock_.seconds();
  for (const Sequence& s : sequences_) {
    if (s.finished()) continue;
    snapshot.sequences.push_back({s.id, s.state, s.prompt_tokens, s.computed, s.output_tokens, s.max_tokens,
                                  s.preemptions, s.user, s.priority, now_s - s.arrival_s});
  }
  snapshot.kv = kv_use();
  snapshot.stats = stats();
  return snapshot;
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

void Engine::block_owners(std::vector<int>& owners) const {
  const std::int64_t slots = kv_->use().slots, block = std::max(kv_->view(0).block_size, 1);
  owners.assign(static_cast<std::size_t>(slots / block), kFree);
  for (std::size_t b = 0; kv_->shares_blocks() && b < owners.size(); ++b) {
    if (kv_->owners(static_cast<int>(b)) > 0) owners[b] = kKept;
  }
  for (const ScheduledSequence* s : queues_.running) {
    for (const std::int32_t b : kv_->block_table(s->kv)) {
      int& owner = owners[static_cast<std::size_t>(b)];
      owner = owner < 0 && owner != kShared ? s->id : kShared;
    }
  }
}

EngineStats Engine::stats() const {
  EngineStats stats = stats_;
  for (const auto* queue : {&queues_.waiting, &queues_.running}) {
    for (const ScheduledSequence* s : *queue) {
      stats.preemptions += s->preemptions;
      stats.cached_tokens += s->cached_tokens;
    }
  }
  stats.swaps = space_.swaps();
  stats.forked_tokens = space_.forked_tokens();
  stats.prefix_s = space_.prefix_s();
  return stats;
}

}  // namespace rung
