// A simulation is the engine without its model: over a KV cache without memory, with prefix cache and
// swapping, it makes the same steps.

#include "catalog/variants.hpp"
#include "convert/synth.hpp"
#include "core/rng.hpp"
#include "devices/null_device.hpp"
#include "engine/engine.hpp"
#include "engine/resolve.hpp"
#include "loop/cost_executor.hpp"
#include "testing/catch.hpp"

using namespace rung;

namespace {

std::shared_ptr<const Model> small_model() {
  const std::string path = testing::scratch_file("simulation_test.gguf");
  synth(path, "test-tiny", DType::f32, 7, 2);
  return std::make_shared<Model>(load_model(path));
}

/// Prompts of which every other one begins like an earlier one.
std::vector<Request> requests_for(const Model& model) {
  Rng rng(11);
  std::vector<Request> requests(24);
  for (std::size_t i = 0; i < requests.size(); ++i) {
    Request& r = requests[i];
    if (i % 2 == 1) r.prompt.assign(requests[i / 2].prompt.begin(), requests[i / 2].prompt.begin() + 12);
    const std::size_t length = r.prompt.size() + 13 + rng.below(12);
    while (r.prompt.size() < length) {
      const auto vocab = static_cast<std::uint64_t>(model.config.vocab_size);
      r.prompt.push_back(static_cast<std::int32_t>(rng.below(vocab)));
    }
    r.max_tokens = 5 + static_cast<int>(rng.below(30));
    r.ignore_end = true;
    r.sampling.temperature = 0;
    r.n = i == 7 ? 3 : 1;
  }
  return requests;
}

EngineConfig small_config(const Model& model, const std::string& prefix_cache, std::size_t swap_bytes) {
  EngineConfig config;
  config.threads = 1;
  config.context = 128;
  config.max_sequences = 8;
  config.max_step_tokens = 32;
  config.kv_block_size = 4;
  config.kv_budget =
      kv_config(config, model.config, null_device()).bytes_per_token() * 240;  // for a quarter of them
  config.swap_bytes = swap_bytes;
  config.copy_bytes_per_s = 1e6;
  config.recompute_tokens_per_s = 300;
  config.rungs = {{"prefix_cache", prefix_cache}, {"scheduler", "chunked"}, {"policy", "fifo"}};
  return config;
}

void serve(StepLoop& loop, const std::vector<Request>& requests) {
  for (const Request& request : requests) loop.submit(request);
  while (loop.step()) loop.check_integrity();
}

EngineStats simulated(const EngineConfig& config, const Model& model, const std::vector<Request>& requests) {
  const Registry& registry = variants();
  const auto kv =
      registry.ladder<KvCache>().make("copy_on_write", kv_config(config, model.config, null_device()));
  const auto prefixes =
      registry.ladder<PrefixCache>().make(config.rung("prefix_cache"), prefix_cache_config(config));
  const auto policy = registry.ladder<Policy>().make("fifo", {});
  const auto scheduler = registry.ladder<Scheduler>().make("chunked", scheduler_config(config));
  CostExecutor executor([](const StepPlan& plan) { return 1e-3 * plan.tokens(); });
  EventLog log(executor.clock(), 0);
  KvCacheSpace memory(*kv, *prefixes, null_device(), model.config.layers, config.swap_bytes,
                      PreemptionCost(config.preempt, config.copy_bytes_per_s, config.recompute_tokens_per_s),
                      log);
  LoopConfig settings;
  settings.requests = request_limits(config, model.config);
  settings.longest = config.context;
  settings.steps = scheduler_config(config);
  StepLoop loop({executor, memory, *scheduler, policy.get(), nullptr, log}, settings);
  serve(loop, requests);
  return loop.stats();
}

}  // namespace

TEST_CASE("a simulation makes the same steps as the engine") {
  const auto model = small_model();
  const std::vector<Request> requests = requests_for(*model);
  for (const std::string prefix_cache : {"none", "radix", "hash_chain"}) {
    for (const std::size_t swap_bytes : {std::size_t{0}, std::size_t{1} << 20}) {
      INFO(prefix_cache << ", " << swap_bytes << " bytes to swap");
      const EngineConfig config = small_config(*model, prefix_cache, swap_bytes);
      Engine engine(model, variants(), config);
      REQUIRE(engine.rungs().at("kv") == "copy_on_write");
      serve(engine.loop(), requests);
      const EngineStats real = engine.stats(), model_free = simulated(engine.config(), *model, requests);
      CHECK(real.preemptions > 0);  // else memory was never short
      CHECK((real.swaps > 0) == (swap_bytes > 0));
      CHECK((real.cached_tokens > 0) == (prefix_cache != "none"));
      CHECK(real.steps == model_free.steps);
      CHECK(real.computed_tokens == model_free.computed_tokens);
      CHECK(real.output_tokens == model_free.output_tokens);
      CHECK(real.recomputed_tokens == model_free.recomputed_tokens);
      CHECK(real.cached_tokens == model_free.cached_tokens);
      CHECK(real.forked_tokens == model_free.forked_tokens);
      CHECK(real.preemptions == model_free.preemptions);
      CHECK(real.swaps == model_free.swaps);
    }
  }
}
