// The engine's loop. A step reads: sort by policy, schedule (which admits, grows the cache and preempts),
// make the batch, forward, sample, commit. Who is chosen is up to the rungs of `policy` and `scheduler`.

#include "engine/engine.hpp"

#include <algorithm>
#include <chrono>
#include <limits>
#include <thread>
#include <utility>

#include "engine/batch_builder.hpp"
#include "engine/resolve.hpp"
#include "seams/policy.hpp"

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

bool Engine::step() {
  if (queues_.waiting.empty() && queues_.running.empty()) {
    if (!held_.empty()) fail_stuck();
    return false;
  }
  log_.at_step(stats_.steps + 1);
  const double begin_s = clock_.seconds();
  if (policy_->wants_matches()) look_up_matches();
  sort_by_policy(queues_, *policy_, begin_s);
  plan_.clear();
  scheduler_->schedule(queues_, space_, begin_s, plan_);
  const double planned_s = clock_.seconds();
  stats_.schedule_s += planned_s - begin_s;
  if (plan_.empty()) {
    wait_for_work(planned_s);
    return true;
  }
  idle_steps_ = 0;
  make_batch();
  const double forward_s = clock_.seconds();
  const Tensor logits = transformer_.forward(batch_, *kv_);
  device_.to_host(host_logits_.data(), logits.data, logits.bytes());
  const double forward_end_s = clock_.seconds();
  stats_.forward_s += forward_end_s - forward_s;
  ++stats_.steps;
  const auto rows = static_cast<int>(batch_.tokens.size());
  stats_.computed_tokens += rows;
  const bool prompts = std::any_of(plan_.begin(), plan_.end(), [](const Chunk& c) { return c.count > 1; });
  space_.costs().computed(rows, forward_end_s - forward_s, prompts);
  if (log_.on()) record_plan(begin_s, planned_s, forward_s, forward_end_s);
  sample_and_commit();
  for (const int id : std::exchange(cancelled_in_step_, {})) cancel(id);
  log_.add({.kind = EventKind::step,
            .at_s = begin_s,
            .seconds = log_.now() - begin_s,
            .tokens = rows,
            .context = static_cast<int>(plan_.size())});
  watch_storms();
  stats_.step_s += clock_.seconds() - begin_s;
  return true;
}

// Whoever was preempted in a step that planned nothing can be admitted in the next one: alone, a sequence
// always fits. A second step without work, in which no time is waited for, would be the first of endlessly
// many.
void Engine::wait_for_work(double now_s) {
  const double wait_s = scheduler_->waits_until_s() - now_s;
  if (wait_s > 0) {
    std::this_thread::sleep_for(std::chrono::duration<double>(std::min(wait_s, 1e-3)));
  } else if (++idle_steps_ > 1) {
    fail_stuck();
  }
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

// Before the chunks are counted as computed.
void Engine::record_plan(double begin_s, double planned_s, double forward_s, double forward_end_s) {
  const auto rows = static_cast<int>(batch_.tokens.size());
  const auto sequences = static_cast<int>(plan_.size());
  log_.add({.kind = EventKind::schedule,
            .at_s = begin_s,
            .seconds = planned_s - begin_s,
            .tokens = rows,
            .context = sequences});
  log_.add({.kind = EventKind::forward,
            .at_s = forward_s,
            .seconds = forward_end_s - forward_s,
            .tokens = rows,
            .context = sequences});
  for (const Chunk& chunk : plan_) {
    const ScheduledSequence& s = *chunk.sequence;
    // A prompt, or a text that is computed again: everything but one token that was sampled before.
    const bool prefill = chunk.count > 1 || s.computed < s.prompt_tokens;
    log_.add({.kind = EventKind::chunk,
              .sequence = s.id,
              .at_s = forward_s,
              .seconds = forward_end_s - forward_s,
              .tokens = chunk.count,
              .context = s.computed + chunk.count,
              .other = prefill ? 1 : -1});
  }
}

void Engine::make_batch() {
  batch_.clear();
  for (const Chunk& chunk : plan_) {
    const Sequence& s = sequence_of(chunk);
    append_rows(batch_, *kv_, s.kv, s.computed - s.given_up, chunk.count, chunk.samples() ? 1 : 0,
                [&s](int p) { return s.token(s.given_up + p); });
  }
}

// Row i of the logits belongs to the i-th chunk that samples.
void Engine::sample_and_commit() {
  struct InStep {
    bool& flag;
    explicit InStep(bool& f) : flag(f) { flag = true; }
    ~InStep() { flag = false; }
  };
  const InStep in_step(in_step_);
  const auto vocab = static_cast<std::size_t>(model_->config.vocab_size);
  std::size_t row = 0;
  for (const Chunk& chunk : plan_) {
    Sequence& s = sequence_of(chunk);
    const bool samples = chunk.samples();
    stats_.recomputed_tokens += std::clamp(s.reached - s.computed, 0, chunk.count);
    s.computed += chunk.count;
    s.reached = std::max(s.reached, s.computed);
    policy_->computed(s, chunk.count, samples);
    if (!samples) continue;
    const std::span<const float> logits(&host_logits_[row++ * vocab], vocab);
    sample(s, logits);
    if (s.output_tokens == 1 && !held_.empty()) release_samples(s, logits);
    if (s.finished()) {
      retire(s);
    } else if (s.output_tokens == 1) {
      space_.remember(s);  // others may begin with the same prompt
    }
  }
}

// `logits` [vocab], after the sequence's last token.
void Engine::sample(Sequence& s, std::span<const float> logits) {
  const Timer sampling;
  SampledToken chosen = sampler_->sample(logits, s.request.prompt, s.result.token_ids, s.request.sampling,
                                         s.result.token_ids.size());
  stats_.sample_s += sampling.seconds();
  s.commit(std::move(chosen), model_->tokenizer.get(),
           window_ ? std::numeric_limits<int>::max() : config_.context);
  ++stats_.output_tokens;
  log_.add({.kind = EventKind::token,
            .sequence = s.id,
            .tokens = s.result.token_ids.back(),
            .context = s.output_tokens});
}

void Engine::retire(Sequence& sequence) {
  std::erase(queues_.running, &sequence);
  std::erase(queues_.waiting, &sequence);
  std::erase(held_, &sequence);
  space_.close(sequence);
  forget_source(sequence);
  ++stats_.finished;
  stats_.preemptions += sequence.preemptions;
  stats_.cached_tokens += sequence.cached_tokens;
  policy_->finished(sequence);
  log_.add({.kind = EventKind::finished,
            .detail = static_cast<std::uint8_t>(sequence.result.finish_reason),
            .sequence = sequence.id,
            .tokens = sequence.output_tokens});
}

void Engine::look_up_matches() {
  const bool changed = matched_version_ != space_.prefix_version();
  matched_version_ = space_.prefix_version();
  for (ScheduledSequence* s : queues_.waiting) {
    if (changed || s->matched_tokens < 0) s->matched_tokens = space_.known(*s);
  }
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

int Engine::submit(Request request, const std::function<Listeners(int sample)>& others) {
  check_request(request, *model_);
  check_prompt_fits(static_cast<std::int64_t>(request.prompt.size()), *model_, config_);
  check_queue(request.n);
  const int first = next_id_;
  const int n = std::exchange(request.n, 1);
  Request next;
  if (n > 1) next = request;
  const Tokenizer* tokenizer = model_->tokenizer.get();
  const Sequence& leader = enqueue(sequences_.emplace_back(first, std::move(request), tokenizer), nullptr);
  for (int i = 1; i < n; ++i) {
    ++next.sampling.seed;
    Listeners listeners = others ? others(i) : Listeners{};
    next.on_token = std::move(listeners.on_token);
    next.on_text = std::move(listeners.on_text);
    enqueue(sequences_.emplace_back(next_id_, next, tokenizer), &leader);
  }
  return first;
}

void Engine::check_queue(int more) {
  const std::size_t waiting = queues_.waiting.size() + held_.size();
  if (config_.max_waiting == 0 ||
      waiting + static_cast<std::size_t>(more) <= static_cast<std::size_t>(config_.max_waiting)) {
    return;
  }
  ++stats_.refused;
  throw QueueFull(
      fmt::format("{} requests wait for a place already and no more than {} may, so {} more cannot be taken; "
                  "try again later, "
                  "or raise --max-waiting",
                  waiting, config_.max_waiting, more));
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
  if (in_step_) {
    cancelled_in_step_.push_back(id);
    return;
  }
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
  for (const ScheduledSequence* s : queues_.waiting) stats.preemptions += s->preemptions;
  for (const ScheduledSequence* s : queues_.running) stats.preemptions += s->preemptions;
  for (const ScheduledSequence* s : queues_.running) stats.cached_tokens += s->cached_tokens;
  stats.swaps = space_.swaps();
  stats.forked_tokens = space_.forked_tokens();
  stats.prefix_s = space_.prefix_s();
  return stats;
}

}  // namespace rung
