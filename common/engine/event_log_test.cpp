// The log of events: a bounded ring, lives without gaps, and a trace whose slices lie inside each other.

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>

#include <nlohmann/json.hpp>

#include "catalog/variants.hpp"
#include "convert/synth.hpp"
#include "core/rng.hpp"
#include "engine/engine.hpp"
#include "loop/trace.hpp"
#include "testing/catch.hpp"

using namespace rung;

namespace {

constexpr int kContext = 32, kRequests = 10;

std::shared_ptr<const Model> model() {
  static const auto loaded = [] {
    const std::string path = testing::scratch_file("event_log_test.gguf");
    synth(path, "test-tiny", DType::f32, 7, 1);
    return std::make_shared<const Model>(load_model(path));
  }();
  return loaded;
}

/// Ten requests in memory for two of them.
std::unique_ptr<Engine> serve(std::size_t events, std::size_t swap_bytes) {
  EngineConfig config;
  config.threads = 1;
  config.context = kContext;
  config.max_sequences = 4;
  config.max_step_tokens = 16;
  config.kv_block_size = 4;
  config.event_log = events;
  config.swap_bytes = swap_bytes;
  const ModelConfig& m = model()->config;
  config.kv_budget =
      2 * kContext * 2 * static_cast<std::size_t>(m.layers * m.kv_heads * m.head_dim) * sizeof(std::uint16_t);
  auto engine = std::make_unique<Engine>(model(), variants(), config);
  Rng rng(3);
  for (int i = 0; i < kRequests; ++i) {
    Request r;
    for (std::uint64_t n = 8 + rng.below(12); n > 0; --n)
      r.prompt.push_back(static_cast<std::int32_t>(rng.below(300)));
    r.max_tokens = 12;
    r.sampling.temperature = 0;
    r.ignore_end = true;
    engine->submit(std::move(r));
  }
  for (int steps = 0; engine->step(); ++steps) {
    if (steps == 6) engine->cancel(kRequests - 1);
  }
  return engine;
}

}  // namespace

TEST_CASE("the log is a ring: the newest events stay, the others are counted") {
  const MachineClock clock;
  EventLog log(clock, 4);
  for (int i = 0; i < 10; ++i) log.add({.kind = EventKind::token, .sequence = i});
  const std::vector<Event> events = log.events();
  REQUIRE(events.size() == 4);
  for (int i = 0; i < 4; ++i) CHECK(events[static_cast<std::size_t>(i)].sequence == 6 + i);
  CHECK(log.dropped() == 6);
  EventLog off(clock, 0);
  off.add({.kind = EventKind::token});
  CHECK(off.events().empty());
  CHECK(off.dropped() == 0);
  CHECK(off.now() == 0);
}

TEST_CASE("every life is told from the queue to its end, and adds up") {
  for (const std::size_t swap_bytes : {std::size_t{0}, std::size_t{1} << 30}) {
    const auto engine = serve(std::size_t{1} << 16, swap_bytes);
    CHECK(engine->events().dropped() == 0);
    int preemptions = 0, swaps = 0, cancelled = 0;
    std::int64_t computed = 0, tokens = 0;
    std::map<int, std::vector<Event>> lives;
    for (const Event& e : engine->events().events()) {
      if (e.sequence >= 0) lives[e.sequence].push_back(e);
    }
    REQUIRE(lives.size() == kRequests);
    for (const auto& [id, life] : lives) {
      INFO("request " << id);
      CHECK(life.front().kind == EventKind::queued);
      CHECK(life.back().kind == EventKind::finished);
      cancelled += static_cast<FinishReason>(life.back().reason) == FinishReason::cancelled;
      int in_cache = 0, sampled = 0;
      bool runs = false;
      for (const Event& e : life) {
        CHECK(e.seconds >= 0);
        if (e.kind == EventKind::admitted || e.kind == EventKind::swapped_in) {
          CHECK(!runs);
          if (e.kind == EventKind::swapped_in) CHECK(e.tokens == in_cache);
          swaps += e.kind == EventKind::swapped_in;
          in_cache = e.tokens;
          runs = true;
        } else if (e.kind == EventKind::chunk) {
          CHECK(runs);
          CHECK(e.context == in_cache + e.tokens);
          in_cache = e.context;
          computed += e.tokens;
        } else if (e.kind == EventKind::token) {
          CHECK(e.context == ++sampled);
          ++tokens;
        } else if (e.kind == EventKind::preempted) {
          CHECK(e.tokens == in_cache);
          CHECK(is_swap(static_cast<PreemptReason>(e.reason)) == (swap_bytes > 0));
          CHECK(e.related >= 0);
          ++preemptions;
          runs = false;
        }
      }
      CHECK(life.back().tokens == sampled);
    }
    const EngineStats stats = engine->stats();
    CHECK(cancelled == 1);
    CHECK(preemptions > 0);
    CHECK(preemptions == stats.preemptions);
    CHECK(swaps == stats.swaps);
    CHECK((swaps > 0) == (swap_bytes > 0));
    CHECK(computed == stats.computed_tokens);
    CHECK(tokens == stats.output_tokens);
  }
}

TEST_CASE("a trace is JSON whose slices lie inside each other or apart, in every row") {
  for (const std::size_t events : {std::size_t{1} << 16, std::size_t{150}}) {  // the second drops most
    for (const std::size_t swap_bytes : {std::size_t{0}, std::size_t{1} << 30}) {
      const auto engine = serve(events, swap_bytes);
      const auto trace = nlohmann::json::parse(chrome_trace(engine->events()));
      CHECK(trace.at("otherData").at("dropped_events") == engine->events().dropped());
      struct Slice {
        std::int64_t begin, end;
        std::string name;
      };
      std::map<int, std::vector<Slice>> rows;
      const auto nanoseconds = [](const nlohmann::json& us) {
        return static_cast<std::int64_t>(std::llround(1e3 * us.get<double>()));
      };
      for (const auto& e : trace.at("traceEvents")) {
        if (e.at("ph") != "X") continue;
        const std::int64_t begin = nanoseconds(e.at("ts"));
        rows[e.at("tid").get<int>()].push_back({begin, begin + nanoseconds(e.at("dur")), e.at("name")});
      }
      if (events > 1000) CHECK(rows.size() == kRequests + 1);
      std::map<std::string, int> names;
      for (auto& [row, slices] : rows) {
        std::sort(slices.begin(), slices.end(), [](const Slice& a, const Slice& b) {
          return a.begin != b.begin ? a.begin < b.begin : a.end > b.end;
        });
        std::vector<Slice> open;
        for (const Slice& s : slices) {
          INFO("row " << row << ", slice " << s.name << " " << s.begin << " to " << s.end);
          CHECK(s.end >= s.begin);
          while (!open.empty() && open.back().end <= s.begin) open.pop_back();
          if (!open.empty()) CHECK(s.end <= open.back().end);
          open.push_back(s);
          ++names[s.name];
        }
      }
      CHECK(names["forward"] > 0);
      CHECK(names["decode"] > 0);
      if (events < 1000) continue;
      CHECK(names["step"] == engine->stats().steps);
      CHECK(names["request"] == kRequests);
      CHECK(names["copy in"] == engine->stats().swaps);
      CHECK(names["waiting"] == kRequests);
      CHECK(names["preempted"] + names["swapped out"] == engine->stats().preemptions);
    }
  }
}
