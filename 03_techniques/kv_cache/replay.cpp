// Lengths of real requests through every cache, without a model: kv_cache_replay TRACE.csv TOKENS CONTEXT
// [BLOCK]
//
// TRACE.csv: a header, then lines that end in ",prompt tokens,generated tokens"; - is stdin. The queue is
// never empty: the next request in the file is admitted as soon as the cache takes its prompt, everybody who
// runs gains a token per step, and whoever finds no room gives way (from the youngest on) and comes back
// later. Prints, per rung, what its counters said on average over the steps, as JSON.

#include <algorithm>
#include <cstdio>
#include <deque>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "host_device.hpp"
#include "kv_cache.hpp"

namespace rung::kv_cache {
namespace {

struct Lengths {
  int prompt = 0, output = 0;
};

int number(const std::string& text, const std::string& line) {
  std::size_t end = 0;
  int value = -1;
  try {
    value = std::stoi(text, &end);
  } catch (const std::exception&) {
  }
  if (value < 0 || text.find_first_not_of(" \r", end) != std::string::npos) {
    fail_usage("the trace's line '{}' does not end in two counts of tokens", line);
  }
  return value;
}

std::vector<Lengths> read_trace(std::istream& in) {
  std::vector<Lengths> trace;
  std::string line;
  std::getline(in, line);  // header
  while (std::getline(in, line)) {
    if (line.empty() || line == "\r") continue;
    const std::size_t last = line.rfind(','), first = last == 0 || last == std::string::npos
                                                          ? std::string::npos
                                                          : line.rfind(',', last - 1);
    if (first == std::string::npos) fail_usage("the trace's line '{}' has fewer than three fields", line);
    trace.push_back(
        {number(line.substr(first + 1, last - first - 1), line), number(line.substr(last + 1), line)});
  }
  return trace;
}

struct Running {
  int kv = 0;
  Lengths lengths;
  int done = 0;  // tokens in the cache
};

nlohmann::json replay(KvCache& cache, std::deque<Lengths> waiting) {
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
  if (argc < 4) fail_usage("usage: kv_cache_replay TRACE.csv TOKENS CONTEXT [BLOCK]");
  const std::string path = argv[1];
  std::ifstream file(path);
  if (path != "-" && !file) fail("{} cannot be read", path);
  const int context = number(argv[3], argv[3]);
  HostDevice device;
  KvConfig config;
  config.layers = config.kv_heads = config.head_dim = 1;
  config.max_sequences = 4096;
  config.max_context = context;
  config.block_size = argc > 4 ? number(argv[4], argv[4]) : 16;
  config.device = &device;
  config.budget = config.bytes_per_token() * static_cast<std::size_t>(number(argv[2], argv[2]));
  std::deque<Lengths> waiting;
  int too_long = 0;
  for (const Lengths& lengths : read_trace(path == "-" ? std::cin : file)) {
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
                                   {"tokens", number(argv[2], argv[2])},
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
  try {
    return rung::kv_cache::run(argc, argv);
  } catch (const rung::UsageError& error) {
    std::fprintf(stderr, "kv_cache_replay: %s\n", error.what());
    return 2;
  } catch (const rung::Error& error) {
    std::fprintf(stderr, "kv_cache_replay: %s\n", error.what());
    return 1;
  }
}
