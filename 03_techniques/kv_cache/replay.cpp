// Lengths of real requests through every cache, without a model: kv_cache_replay TRACE TOKENS CONTEXT [BLOCK]
//
// TRACE: any form that loop/request_trace.hpp reads; - is stdin. All requests come at once, and the serving
// loop (loop/simulation.hpp) works through them in their order: a request is admitted as soon as the cache
// has room for its prompt, every running one gains a token per step, and where there is no room for it, the
// last one admitted is preempted and computed again later. Prints, per rung, what its counters said on
// average over the steps, as JSON. The steps after the last admission, in which the cache empties, are left
// out.

#include <algorithm>
#include <climits>
#include <cstdio>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/numbers.hpp"
#include "core/program_main.hpp"
#include "devices/null_device.hpp"
#include "kv_cache.hpp"
#include "loop/cost_executor.hpp"
#include "loop/first_come.hpp"
#include "loop/kv_cache_space.hpp"
#include "loop/no_prefix_cache.hpp"
#include "loop/request_trace.hpp"
#include "loop/simulation.hpp"

namespace rung::kv_cache {
namespace {

int number(const char* what, const std::string& text) { return number_from<int>(what, text, {1}); }

nlohmann::json replay(KvCache& cache, const KvConfig& config, const std::vector<SimulatedRequest>& requests) {
  double waste = 0, live = 0, sequences = 0;
  int steps = 0;
  SimulationConfig simulation;
  simulation.limits = {config.max_sequences, INT_MAX, config.max_sequences, 0};
  simulation.observe = [&](const SequenceMemory& memory, const Queues& queues) {
    if (queues.waiting.empty()) return;
    const KvUse use = memory.use();
    ++steps;
    waste += use.waste();
    live += static_cast<double>(use.live) / static_cast<double>(use.slots);
    sequences += static_cast<double>(queues.running.size());
  };
  FirstCome scheduler(simulation.limits);
  CostExecutor executor([](const StepPlan&) { return 1.0; });
  EventLog log(executor.clock(), 0);
  NoPrefixCache prefixes;
  KvCacheSpace memory(cache, prefixes, *config.device, config.layers, 0,
                      PreemptionCost(PreemptMode::recompute, 0, 0), log);
  const SimulationResult result = simulate(scheduler, nullptr, requests, simulation, memory, executor, log);
  return {{"steps", steps},
          {"waste", waste / steps},
          {"live", live / steps},
          {"sequences", sequences / steps},
          {"preempted", result.preemptions}};
}

int run(int argc, char** argv) {
  if (argc < 4) fail_usage("usage: kv_cache_replay TRACE TOKENS CONTEXT [BLOCK]");
  const std::string path = argv[1];
  const int tokens = number("TOKENS", argv[2]), context = number("CONTEXT", argv[3]);
  KvConfig config;
  config.layers = config.kv_heads = config.head_dim = 1;
  config.max_sequences = 4096;
  config.max_context = context;
  config.block_size = argc > 4 ? number("BLOCK", argv[4]) : 16;
  config.device = &null_device();
  config.budget = config.bytes_per_token() * static_cast<std::size_t>(tokens);
  std::vector<SimulatedRequest> requests;
  int too_long = 0;
  for (const TracedRequest& lengths : read_request_trace(path).requests) {
    const bool fits = lengths.prompt > 0 && lengths.prompt + lengths.output < context;
    if (fits)
      requests.push_back({.prompt_tokens = lengths.prompt, .output_tokens = std::max(lengths.output, 1)});
    too_long += !fits;
  }
  if (requests.empty()) fail("{} has no request that fits into {} tokens", path, context);
  Registry registry;
  register_rungs(registry);
  nlohmann::ordered_json result = {{"requests", requests.size()},
                                   {"too_long", too_long},
                                   {"context", context},
                                   {"tokens", tokens},
                                   {"block_size", config.block_size}};
  for (const RungInfo& rung : registry.ladder<KvCache>().rungs()) {
    if (rung.exercise || rung.name == "copy_on_write") continue;  // nothing to share here
    result["rungs"][rung.name] =
        replay(*registry.ladder<KvCache>().make(rung.name, config), config, requests);
  }
  std::printf("%s\n", result.dump(1).c_str());
  return 0;
}

}  // namespace
}  // namespace rung::kv_cache

int main(int argc, char** argv) {
  return rung::run_program("kv_cache_replay", argc, argv, rung::kv_cache::run);
}
