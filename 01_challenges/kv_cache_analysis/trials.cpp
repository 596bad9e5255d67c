// What judges and times the rungs of `kv_plan`: plans against an oracle that counts positions one by one.

#include <map>
#include <memory>
#include <set>

#include "core/rng.hpp"
#include "kv_plan.hpp"

namespace rung::kv_cache_analysis {
namespace {

struct Workload {
  std::string name;
  KvPlanConfig config;
  std::vector<std::int32_t> lengths;
  bool timed = false;
};

// Counts instead of computing: a position is held if the newest token sees it, and a block is taken if a held
// position lies in it. One count per (length, window), because that is all it depends on.
KvPlan oracle(const KvPlanConfig& config, std::span<const std::int32_t> lengths) {
  struct Count {
    std::uint64_t held = 0, taken = 0;
  };
  std::map<std::pair<std::int32_t, int>, Count> counts;
  const auto count = [&](std::int32_t length, int window) {
    const auto [at, added] = counts.try_emplace({length, window});
    if (!added) return at->second;
    std::set<std::int32_t> taken;
    for (std::int32_t p = 0; p < length; ++p) {
      const bool seen = window == 0 || length - 1 - p < window;
      if (!seen) continue;
      ++at->second.held;
      taken.insert(p / config.block_tokens);
    }
    at->second.taken = taken.size() * static_cast<std::uint64_t>(config.block_tokens);
    if (config.reserve > 0) at->second.taken = static_cast<std::uint64_t>(config.reserve);
    return at->second;
  };
  const DTypeTraits& format = traits(config.type);
  const auto bytes = [&](const KvLayer& layer) {
    std::uint64_t numbers = static_cast<std::uint64_t>(layer.latent + layer.rotary_key);
    for (int head = 0; head < layer.kv_heads; ++head) {
      numbers += static_cast<std::uint64_t>(layer.key_dim + layer.value_dim);
    }
    return numbers * static_cast<std::uint64_t>(format.block_bytes) /
           static_cast<std::uint64_t>(format.block_elements);
  };

  KvPlan plan;
  std::int32_t longest = 0;
  std::uint64_t longest_taken = 0;
  for (const std::int32_t length : lengths) longest = std::max(longest, length);
  for (const KvLayer& layer : config.shape.layers) {
    plan.per_token += bytes(layer);
    longest_taken += count(longest, layer.window).taken * bytes(layer);
    for (const std::int32_t length : lengths) {
      plan.used += count(length, layer.window).held * bytes(layer);
      plan.taken += count(length, layer.window).taken * bytes(layer);
    }
  }
  // Whole sequences until the budget is spent.
  if (longest_taken > 0) {
    for (std::uint64_t left = config.budget; left >= longest_taken; left -= longest_taken) ++plan.batch;
  }
  return plan;
}

KvLayer heads(int kv_heads, int dim, int window = 0) { return {kv_heads, dim, dim, 0, 0, window}; }

KvPlanConfig config_of(KvShape shape, DType type, int reserve, int block_tokens, std::uint64_t budget) {
  KvPlanConfig config;
  config.shape = std::move(shape);
  config.type = type;
  config.reserve = reserve;
  config.block_tokens = block_tokens;
  config.budget = budget;
  return config;
}

std::vector<Workload> workloads() {
  KvShape
      hybrid;  // full layers, windowed ones, latents, values narrower than keys, and one without attention
  hybrid.name = "hybrid";
  hybrid.heads = 8;
  hybrid.layers = {heads(2, 32),          heads(1, 64, 7),      {0, 0, 0, 0, 0, 0},
                   {4, 24, 16, 0, 0, 33}, {0, 0, 0, 96, 32, 0}, heads(2, 32, 1)};
  const std::vector<std::int32_t> ragged = {0, 1, 6, 7, 8, 33, 100, 64};
  constexpr std::uint64_t kBudget = 3'000'000'000;
  const auto named = [](const char* name) { return named_kv_shape(name); };
  std::vector<Workload> list = {
      {"Llama 2 7B, one token", config_of(named("llama-2-7b"), DType::f16, 0, 1, kBudget), {1}},
      {"Llama 3 8B, ragged batch", config_of(named("llama-3-8b"), DType::f16, 0, 1, kBudget), ragged},
      {"Falcon 7B, one KV head, q8_0", config_of(named("falcon-7b"), DType::q8_0, 0, 1, kBudget), {5, 1000}},
      {"no sequences", config_of(named("llama-3-8b"), DType::f32, 0, 1, kBudget), {}},
      {"only empty sequences", config_of(named("llama-3-8b"), DType::f32, 0, 1, kBudget), {0, 0}},
      {"DeepSeek-V3", config_of(named("deepseek-v3"), DType::bf16, 0, 1, kBudget), {17, 4096}},
      {"Gemma 2 9B beyond its window",
       config_of(named("gemma-2-9b"), DType::f16, 0, 1, kBudget),
       {4096, 4097, 8000}},
      {"Llama 3 8B, 2048 reserved",
       config_of(named("llama-3-8b"), DType::f16, 2048, 1, kBudget),
       {1, 300, 2048}},
      {"Gemma 2 9B, 6000 reserved", config_of(named("gemma-2-9b"), DType::f16, 6000, 1, kBudget), {10, 5000}},
      {"Llama 3 8B, blocks of 16", config_of(named("llama-3-8b"), DType::f16, 0, 16, kBudget), ragged},
      {"Gemma 3 27B, blocks of 16",
       config_of(named("gemma-3-27b"), DType::bf16, 0, 16, kBudget),
       {1023, 1024, 1025, 1040, 5000}},
      {"hybrid", config_of(hybrid, DType::f32, 0, 1, kBudget / 100), ragged},
      {"hybrid, blocks of 5", config_of(hybrid, DType::f16, 0, 5, kBudget / 100), ragged},
      {"hybrid, blocks of 64", config_of(hybrid, DType::f16, 0, 64, 0), ragged},
      {"hybrid, 100 reserved", config_of(hybrid, DType::f32, 100, 1, 1000), ragged},
  };
  Rng rng(20260117);
  std::vector<std::int32_t> many(4096);
  for (std::int32_t& length : many) length = static_cast<std::int32_t>(1 + rng.below(4096));
  for (const char* name : {"llama-3-8b", "gemma-3-27b"}) {
    list.push_back({fmt::format("{}, 4096 sequences", name),
                    config_of(named(name), DType::f16, 0, 1, kBudget), many, true});
    list.push_back({fmt::format("{}, 4096 sequences, blocks of 16", name),
                    config_of(named(name), DType::f16, 0, 16, kBudget), many, true});
  }
  return list;
}

Verdict judge(const Ladder<KvPlanner>& ladder, const std::string& rung, const Workload& w) {
  try {
    ladder.choose(rung, w.config);
  } catch (const UsageError&) {
    throw;
  } catch (const Error& error) {
    return Verdict::unsupported(error.what());
  }
  const KvPlan got = ladder.make(rung, w.config)->plan(w.lengths);
  const KvPlan expected = oracle(w.config, w.lengths);
  for (const auto& [what, member] : {std::pair{"per_token", &KvPlan::per_token},
                                     {"used", &KvPlan::used},
                                     {"taken", &KvPlan::taken},
                                     {"batch", &KvPlan::batch}}) {
    if (got.*member == expected.*member) continue;
    return Verdict().fail(mismatch(
        w.name, fmt::format("{} sequences, {} layers", w.lengths.size(), w.config.shape.layers.size()), what,
        std::to_string(expected.*member), std::to_string(got.*member)));
  }
  return {};
}

}  // namespace

std::vector<Trial> trials(const Ladder<KvPlanner>& ladder) {
  const auto judge_one = [&ladder](const std::string& rung, int /*threads*/, const Workload& w) {
    return judge(ladder, rung, w);
  };
  return trials_of(workloads(), judge_one, [&ladder](Trial& trial, std::shared_ptr<const Workload> w) {
    const auto sequences = static_cast<double>(w->lengths.size());
    trial.work.bytes = 4.0 * sequences;
    trial.work.flops = 2.0 * sequences * static_cast<double>(w->config.shape.layers.size());
    trial.prepare = [w, &ladder](const std::string& rung, int) -> std::function<void()> {
      const std::shared_ptr<KvPlanner> planner = ladder.make(rung, w->config);
      return [w, planner] { planner->plan(w->lengths); };
    };
  });
}

}  // namespace rung::kv_cache_analysis
