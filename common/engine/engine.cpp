#include "engine/engine.hpp"

#include <algorithm>
#include <limits>

#include "engine/resolve.hpp"

namespace rung {
namespace {

LoopConfig loop_config(const EngineParts& parts) {
  const EngineConfig& config = parts.config;
  LoopConfig loop;
  loop.requests = request_limits(config, parts.model->config);
  loop.longest = config.sinks >= 0 ? std::numeric_limits<int>::max() : config.context;
  loop.max_waiting = config.max_waiting;
  loop.steps = scheduler_config(config);
  loop.scheduler = parts.rungs.at("scheduler");
  loop.notice = config.notice;
  return loop;
}

/// Returns null if the cache drops tokens, because such a cache cannot remove wrong guesses.
std::shared_ptr<Speculator> speculator_of(const EngineConfig& config) {
  return config.sinks >= 0 ? nullptr : config.speculator;
}

ForwardPass& forward_pass_of(const EngineParts& parts) {
  if (parts.one_token != nullptr) return *parts.one_token;
  return *parts.transformer;
}

}  // namespace

Engine::Engine(EngineParts parts)
    : parts_(std::move(parts)),
      executor_(forward_pass_of(parts_), *parts_.kv, *parts_.sampler, *parts_.device,
                speculator_of(parts_.config), parts_.config.max_step_outputs,
                parts_.model->config.vocab_size),
      log_(executor_.clock(), parts_.config.event_log),
      space_(*parts_.kv, *parts_.prefixes, *parts_.device, parts_.model->config.layers,
             parts_.config.swap_bytes,
             PreemptionCost(parts_.config.preempt, parts_.config.copy_bytes_per_s,
                            parts_.config.recompute_tokens_per_s),
             log_),
      loop_({executor_, space_, *parts_.scheduler, parts_.policy.get(), parts_.model->tokenizer.get(), log_},
            loop_config(parts_)) {}

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

std::vector<Result> Engine::run_samples(Request request, const std::function<bool()>& cancelled) {
  const int n = request.n;
  const int first = submit(std::move(request));
  bool stopped = false;
  while (step()) {
    if (stopped || !cancelled || !cancelled()) continue;
    stopped = true;
    for (int i = 0; i < n; ++i) cancel(first + i);
  }
  std::vector<Result> results;
  for (int i = 0; i < n; ++i) results.push_back(take(first + i));
  return results;
}

EngineMemory Engine::memory() const {
  EngineMemory memory;
  memory.weights_bytes = parts_.model->weights.bytes();
  memory.packed_bytes = parts_.transformer->packed_bytes();
  memory.packed_file_bytes = parts_.packed ? parts_.packed->found_bytes() : 0;
  memory.kv_bytes = parts_.kv->bytes();
  memory.workspace_bytes = parts_.transformer->workspace_bytes() + executor_.bytes();
  memory.swap_bytes = parts_.config.swap_bytes;
  return memory;
}

void Engine::block_owners(std::vector<int>& owners) const {
  const KvCache& kv = *parts_.kv;
  const std::int64_t slots = kv.use().slots, block = std::max(kv.view(0).block_size, 1);
  owners.assign(static_cast<std::size_t>(slots / block), kFree);
  for (std::size_t b = 0; kv.shares_blocks() && b < owners.size(); ++b) {
    if (kv.owners(static_cast<int>(b)) > 0) owners[b] = kKept;
  }
  for (const ScheduledSequence* s : queues().running) {
    for (const std::int32_t b : kv.block_table(s->kv)) {
      int& owner = owners[static_cast<std::size_t>(b)];
      owner = owner < 0 && owner != kShared ? s->id : kShared;
    }
  }
}

}  // namespace rung
