// Lengths of real requests through every cache, without a model: kv_cache_replay TRACE TOKENS CONTEXT [BLOCK]
//
// TRACE is a file in any format that loop/request_trace.hpp reads; - is stdin. The queue is never empty: the
// next request in the file is admitted as soon as the cache takes its prompt. Every running request gains a
// token per step. If there is no room for one, the youngest requests are preempted and come back later. For
// each rung, the program prints the averages of its counters over the steps, as JSON.

#include <algorithm>
#include <cstdio>
#include <deque>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/numbers.hpp"
#include "core/program_main.hpp"
#include "devices/cpu_device.hpp"
#include "kv_cache.hpp"
#include "loop/request_trace.hpp"

namespace rung::kv_cache {
namespace {

int number(const char* what, const std::string& text) { return number_from<int>(what, text, {1}); }

struct Running {
  int kv = 0;
  TracedRequest lengths;
  int done = 0;  // tokens in the cache
};

nlohmann::json replay(KvCache& cache, std::deque<TracedRequest> waiting) {
  std::vector<Running> running;
  double waste = 0, sequences = 0, filled = 0;
  int steps = 0, preempted = 0;
  bool short_of_memory = false;
  const auto give_way = [&] {
    waiting.push_front(running.back().lengths);
    cache.close(running.back().kv);
    running.pop_back();
    ++preempted;
    short_of_memory = true;
  };
  while (!waiting.empty()) {  // the end, when the cache empties, is not what is measured
    for (std::size_t i = 0; i < running.size(); ++i) {
      while (i < running.size() && !cache.grow(running[i].kv, running[i].done + 1)) give_way();
      if (i < running.size()) ++running[i].done;
    }
    std::erase_if(running, [&](const Running& r) {
      const bool ended = r.done >= r.lengths.prompt + r.lengths.output;
      if (ended) cache.close(r.kv), short_of_memory = false;
      return ended;
    });
    while (!waiting.empty() && !short_of_memory) {
      const int kv = cache.open();
      if (kv < 0) break;
      if (!cache.grow(kv, waiting.front().prompt + 1)) {
        cache.close(kv);
        break;
      }
      running.push_back({kv, waiting.front(), waiting.front().prompt + 1});
      waiting.pop_front();
    }
    const KvUse use = cache.use();
    ++steps;
    waste += use.waste();
    filled += static_cast<double>(use.live) / static_cast<double>(use.slots);
    sequences += static_cast<double>(running.size());
  }
  return {{"steps", steps},
          {"waste", waste / steps},
          {"live", filled / steps},
          {"sequences", sequences / steps},
          {"preempted", preempted}};
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
  config.device = &cpu_device();
  config.budget = config.bytes_per_token() * static_cast<std::size_t>(tokens);
  std::deque<TracedRequest> waiting;
  int too_long = 0;
  for (const TracedRequest& lengths : read_request_trace(path).requests) {
    const bool fits = lengths.prompt > 0 && lengths.prompt + lengths.output < context;
    if (fits) waiting.push_back(lengths);
    too_long += !fits;
  }
  if (waiting.empty()) fail("{} has no request that fits into {} tokens", path, context);
  Registry registry;
  register_rungs(registry);
  nlohmann::ordered_json result = {{"requests", waiting.size()},
                                   {"too_long", too_long},
                                   {"context", context},
                                   {"tokens", tokens},
                                   {"block_size", config.block_size}};
  for (const RungInfo& rung : registry.ladder<KvCache>().rungs()) {
    if (rung.exercise || rung.name == "copy_on_write") continue;  // nothing to share here
    result["rungs"][rung.name] = replay(*registry.ladder<KvCache>().make(rung.name, config), waiting);
  }
  std::printf("%s\n", result.dump(1).c_str());
  return 0;
}

}  // namespace
}  // namespace rung::kv_cache

int main(int argc, char** argv) {
  return rung::run_program("kv_cache_replay", argc, argv, rung::kv_cache::run);
}
