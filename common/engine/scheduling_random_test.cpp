// Engines drawn at random serve requests drawn at random: every scheduler, policy, KV cache and prefix cache,
// tiny budgets, swaps, full queues, samples, forks, texts that end at any token and cancellations in every
// state, by listeners too. Every text is the one that the request gets alone, the bookkeeping is checked
// after every step, the steps are bounded, and at the end no block is lost.
//
// RUNG_RANDOM_REQUESTS=100000 makes a long run of it; the default is short enough for every build.
// RUNG_RANDOM_FIRST=N begins with batch N, to run again what a failure names.

#include <algorithm>
#include <cstdlib>
#include <map>
#include <memory>

#include "catalog/variants.hpp"
#include "convert/synth.hpp"
#include "core/rng.hpp"
#include "engine/engine.hpp"
#include "testing/catch.hpp"

using namespace rung;
using Ids = std::vector<std::int32_t>;

namespace {

constexpr int kContext = 48, kPool = 80, kSamples = 5, kBatch = 50;

int from_environment(const char* name, int otherwise) {
  const char* given = std::getenv(name);
  return given == nullptr ? otherwise : std::max(std::atoi(given), 0);
}

std::shared_ptr<const Model> model() {
  static const auto loaded = [] {
    const std::string path = testing::scratch_file("scheduling_random_test.gguf");
    synth(path, "test-tiny", DType::f32, 7, 1);
    return std::make_shared<const Model>(load_model(path));
  }();
  return loaded;
}

/// A request and the texts of its samples alone.
struct Known {
  Request request;
  std::vector<Ids> texts;  // [kSamples], of seed, seed + 1, ...
};

const std::vector<Known>& pool() {
  static const std::vector<Known> known = [] {
    Rng rng(20260411);
    EngineConfig config;
    config.threads = 1;
    config.context = kContext;
    Engine alone(model(), variants(), config);
    std::vector<Known> list(kPool);
    for (Known& k : list) {
      Request& r = k.request;
      Rng family(rng.below(5));  // prompts of a family begin alike
      for (std::uint64_t i = rng.below(20); i > 0; --i)
        r.prompt.push_back(static_cast<std::int32_t>(family.below(300)));
      for (std::uint64_t i = 1 + rng.below(10); i > 0; --i)
        r.prompt.push_back(static_cast<std::int32_t>(rng.below(300)));
      if (rng.below(3) == 0 &&
          &k != list.data()) {  // most of another prompt, and so much more that little fits after it
        const Ids& other = list[rng.below(static_cast<std::uint64_t>(&k - list.data()))].request.prompt;
        r.prompt.assign(other.begin(), other.end() - static_cast<std::ptrdiff_t>(rng.below(other.size())));
        const std::size_t length = std::max<std::size_t>(r.prompt.size(), 30 + rng.below(17));
        while (r.prompt.size() < length) r.prompt.push_back(static_cast<std::int32_t>(rng.below(300)));
      }
      const auto room = static_cast<std::uint64_t>(kContext) - r.prompt.size();
      r.max_tokens = 1 + static_cast<int>(rng.below(std::min<std::uint64_t>(18, room)));
      r.sampling.temperature = rng.below(2) == 0 ? 0.0f : 0.9f;
      r.sampling.seed = rng.next() >> 8;
      r.ignore_end = true;
      r.user = static_cast<int>(rng.below(3));
      r.priority = static_cast<int>(rng.below(3));
      r.ttft_target_s = 0.01 * static_cast<double>(rng.below(3));
      if (rng.below(2) == 0) {  // a token of the text ends it, often the first
        const Ids text = alone.run(r).token_ids;
        r.stop_ids = {text[rng.below(2) == 0 ? 0 : rng.below(text.size())]};
      }
      for (std::uint64_t i = 0; i < kSamples; ++i) {
        Request sample = r;
        sample.sampling.seed += i;
        k.texts.push_back(alone.run(std::move(sample)).token_ids);
      }
    }
    return list;
  }();
  return known;
}

template <class Seam>
std::string any_rung(Rng& rng) {
  std::vector<std::string> names;
  for (const RungInfo& rung : variants().ladder<Seam>().rungs()) {
    if (!rung.exercise) names.push_back(rung.name);
  }
  return names[rng.below(names.size())];
}

EngineConfig any_config(Rng& rng) {
  EngineConfig config;
  config.threads = 1;
  config.context = kContext;
  config.max_sequences = 1 + static_cast<int>(rng.below(8));
  config.max_step_tokens = 1 + static_cast<int>(rng.below(32));
  config.kv_block_size = 1 << rng.below(5);
  config.batch_window_s = 1e-4;
  config.max_waiting = rng.below(2) == 0 ? 0 : 3 + static_cast<int>(rng.below(6));
  config.event_log = rng.below(2) == 0 ? 0 : 100;
  config.eviction = rng.below(2) == 0 ? Eviction::lru : Eviction::lfu;
  const std::size_t swaps[] = {0, std::size_t{1} << 14, std::size_t{1} << 30};
  config.swap_bytes = swaps[rng.below(3)];
  const PreemptMode modes[] = {PreemptMode::automatic, PreemptMode::recompute, PreemptMode::swap};
  config.preempt = modes[rng.below(config.swap_bytes > 0 ? 3 : 2)];
  const ModelConfig& m = model()->config;
  const std::size_t sequence =
      kContext * 2u * static_cast<std::size_t>(m.layers * m.kv_heads * m.head_dim) * sizeof(std::uint16_t);
  config.kv_budget = sequence + rng.below(3) * sequence / 2;
  config.rungs["scheduler"] = any_rung<Scheduler>(rng);
  config.rungs["policy"] = any_rung<Policy>(rng);
  config.rungs["kv"] = any_rung<KvCache>(rng);
  if (config.rungs["kv"] == "copy_on_write") config.rungs["prefix_cache"] = any_rung<PrefixCache>(rng);
  return config;
}

struct Totals {
  std::int64_t preemptions = 0, swaps = 0, cached = 0, forked = 0, refused = 0, cancelled = 0, compared = 0;
};

/// Serves `count` requests on an engine drawn by `rng`.
void serve(Rng& rng, int count, Totals& totals) {
  const EngineConfig config = any_config(rng);
  std::string how =
      fmt::format("{} sequences, {} tokens per step, blocks of {}, {} bytes to swap", config.max_sequences,
                  config.max_step_tokens, config.kv_block_size, config.swap_bytes);
  for (const auto& [seam, rung] : config.rungs) how += fmt::format(", {} {}", seam, rung);
  INFO(how);
  Engine engine(model(), variants(), config);
  struct Open {
    const Ids* expected;
    bool cancelled;
  };
  std::map<int, Open> open;
  std::map<int, std::uint64_t> seeds;
  const auto any_open = [&] {
    auto one = open.begin();
    std::advance(one, static_cast<std::ptrdiff_t>(rng.below(open.size())));
    return one;
  };
  const auto cancel_any = [&] {
    const auto one = any_open();
    if (engine.finished(one->first)) return;
    engine.cancel(one->first);
    one->second.cancelled = true;
    ++totals.cancelled;
  };
  int submitted = 0, forks = 0, steps = 0;
  for (bool more = true; more || submitted < count;) {
    for (std::uint64_t i = rng.below(4); i > 0 && submitted < count; --i) {
      const Known& known = pool()[rng.below(kPool)];
      Request request = known.request;
      request.n = rng.below(3) == 0 ? 2 + static_cast<int>(rng.below(kSamples - 1)) : 1;
      if (rng.below(8) == 0) {
        request.on_delta = [&](const Delta&) {
          if (!open.empty() && rng.below(8) == 0) cancel_any();
        };
      }
      try {
        const int first = engine.submit(request);
        for (int k = 0; k < request.n; ++k) {
          open[first + k] = {&known.texts[static_cast<std::size_t>(k)], false};
          seeds[first + k] = request.sampling.seed + static_cast<std::uint64_t>(k);
        }
        ++submitted;
      } catch (const QueueFull&) {
        break;  // later
      }
    }
    more = engine.step();
    engine.check_integrity();
    REQUIRE(++steps < 1000 * count);
    if (!open.empty() && rng.below(10) == 0) {
      cancel_any();
      engine.check_integrity();
    }
    if (!open.empty() && forks < count / 2 && rng.below(6) == 0) {
      const int from = any_open()->first;
      if (!engine.finished(from)) {
        try {
          const int id = engine.fork(from, seeds.at(from));  // the same draws: the same text
          open[id] = {open.at(from).expected, false};
          seeds[id] = seeds.at(from);
          ++forks;
        } catch (const QueueFull&) {
        }
      }
    }
    for (auto one = open.begin(); one != open.end();) {
      if (!engine.finished(one->first)) {
        ++one;
        continue;
      }
      const Result result = engine.take(one->first);
      const Ids& expected = *one->second.expected;
      REQUIRE(result.token_ids.size() <= expected.size());
      if (!one->second.cancelled) REQUIRE(result.token_ids.size() == expected.size());
      REQUIRE(std::equal(result.token_ids.begin(), result.token_ids.end(), expected.begin()));
      ++totals.compared;
      one = open.erase(one);
    }
    if (open.empty() && submitted == count) break;
  }
  engine.forget_prefixes();
  CHECK(engine.kv_use().taken == 0);
  const EngineStats stats = engine.stats();
  totals.preemptions += stats.preemptions;
  totals.swaps += stats.swaps;
  totals.cached += stats.cached_tokens;
  totals.forked += stats.forked_tokens;
  totals.refused += stats.refused;
}

}  // namespace

TEST_CASE("any engine gives any request the text that it gets alone, and loses no block") {
  const int wanted = from_environment("RUNG_RANDOM_REQUESTS", 2000);
  Totals totals;
  for (int done = 0, batch = from_environment("RUNG_RANDOM_FIRST", 0); done < wanted;
       done += kBatch, ++batch) {
    Rng rng(20260412, static_cast<std::uint64_t>(batch) << 32);
    INFO("batch " << batch);
    serve(rng, std::min(kBatch, wanted - done), totals);
  }
  CHECK(totals.compared >= wanted);
  if (wanted < 400) return;
  // It was an interesting run.
  CHECK(totals.preemptions > 0);
  CHECK(totals.swaps > 0);
  CHECK(totals.cached > 0);
  CHECK(totals.forked > 0);
  CHECK(totals.refused > 0);
  CHECK(totals.cancelled > 0);
}
