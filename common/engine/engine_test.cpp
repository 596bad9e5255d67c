// The promises of the house, on real engines: batch invariance, same text, seeds, stops, refusals.

#include "engine/engine.hpp"
#include "devices/cpu_device.hpp"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "catalog/variants.hpp"
#include "convert/quantize.hpp"
#include "convert/synth.hpp"
#include "core/rng.hpp"
#include "engine/batch_builder.hpp"
#include "engine/resolve.hpp"
#include "testing/catch.hpp"

using namespace rung;
using Ids = std::vector<std::int32_t>;

namespace {

// Odd sizes everywhere: 3 layers, groups of 3 query heads, widths that fill no block evenly.
std::shared_ptr<const Model> odd_model(DType type, const std::string& shape = "test-tiny") {
  const std::string path =
      testing::scratch_file(fmt::format("engine_test_{}_{}.gguf", shape, traits(type).name));
  synth(path, shape, type, 7, 2);
  return std::make_shared<const Model>(load_model(path));
}

std::shared_ptr<const Model> embedded_model() {
  return std::make_shared<const Model>(load_model(testing::source_file("models/tiny.gguf")));
}

EngineConfig config_with(const std::string& seam, const std::string& rung, int threads = 2) {
  EngineConfig config;
  config.threads = threads;
  if (!seam.empty()) config.rungs[seam] = rung;
  return config;
}

Ids random_ids(Rng& rng, int n, int vocab) {
  Ids ids;
  for (int i = 0; i < n; ++i)
    ids.push_back(static_cast<std::int32_t>(rng.below(static_cast<std::uint64_t>(vocab))));
  return ids;
}

/// Logits after every token of `ids`, the whole sequence alone in one step: what everything else must equal.
std::vector<float> alone(const Model& model, const EngineConfig& config, const Ids& ids) {
  EngineConfig c = config;
  c.context = c.max_step_tokens = c.max_step_outputs = static_cast<int>(ids.size());
  Transformer transformer(model, variants(), c, cpu_device());
  const auto kv = variants().ladder<KvCache>().make("auto", kv_config(c, model.config, cpu_device()));
  const int seq = kv->open();
  kv->grow(seq, c.context);
  Batch batch;
  append_rows(batch, *kv, seq, 0, c.context, c.context,
              [&](int p) { return ids[static_cast<std::size_t>(p)]; });
  const Tensor logits = transformer.forward(batch, *kv);
  return {logits.ptr<float>(), logits.ptr<float>() + logits.size()};
}

/// The same sequences computed together, cut into random chunks in random order; returns each one's logits.
std::vector<std::vector<float>> together(const Model& model, EngineConfig config,
                                         const std::vector<Ids>& prompts, Rng& rng) {
  config.max_sequences = static_cast<int>(prompts.size());
  config.context = 64;
  config.max_step_tokens = config.max_step_outputs = 64 * config.max_sequences;
  Transformer transformer(model, variants(), config, cpu_device());
  const auto kv = variants().ladder<KvCache>().make("auto", kv_config(config, model.config, cpu_device()));
  std::vector<int> seqs, done(prompts.size(), 0);
  for (std::size_t i = 0; i < prompts.size(); ++i) seqs.push_back(kv->open());
  std::vector<std::vector<float>> result(prompts.size());
  for (bool left = true; left;) {
    left = false;
    Batch batch;
    std::vector<std::pair<std::size_t, int>> chunks;  // whose rows, how many
    for (std::size_t i = 0; i < prompts.size(); ++i) {
      const int missing = static_cast<int>(prompts[i].size()) - done[i];
      left = left || missing > 0;
      if (missing == 0 || rng.below(3) == 0) continue;
      const int count = 1 + static_cast<int>(rng.below(static_cast<std::uint64_t>(missing)));
      REQUIRE(kv->grow(seqs[i], done[i] + count));
      append_rows(batch, *kv, seqs[i], done[i], count, count,
                  [&](int p) { return prompts[i][static_cast<std::size_t>(p)]; });
      chunks.emplace_back(i, count);
      done[i] += count;
    }
    if (batch.tokens.empty()) continue;
    const Tensor logits = transformer.forward(batch, *kv);
    std::int64_t row = 0;
    for (const auto& [i, count] : chunks) {
      const float* from = logits.ptr<float>(row);
      result[i].insert(result[i].end(), from, from + count * logits.cols);
      row += count;
    }
    kv->check_integrity();
  }
  return result;
}

/// Whether these rungs can run the model: some are for quantized weights only.
bool can_run(const Model& model, const std::map<std::string, std::string>& rungs) {
  EngineConfig config;
  config.rungs = rungs;
  try {
    resolve_rungs(variants(), resolve_config(variants(), config, model), model);
    return true;
  } catch (const Error&) {
    return false;
  }
}

Request greedy(Ids prompt, int n) {
  Request request;
  request.prompt = std::move(prompt);
  request.max_tokens = n;
  request.sampling.temperature = 0;
  return request;
}

}  // namespace

TEST_CASE(
    "batch invariance: logits are bitwise the same alone, batched, chunked, with 1 and 2 threads, for every "
    "rung") {
  int tried = 0;
  for (const auto& [type, shape] : {std::pair{DType::f32, "test-tiny"},
                                    {DType::f16, "test-tiny"},
                                    {DType::q8_0, "test-tiny"},
                                    {DType::q4_0, "test-tiny"},
                                    {DType::q8_0, "test-tiny-moe"}}) {
    const auto model = odd_model(type, shape);
    for (const std::string seam : {"attention", "linear", "fusion"}) {
      for (const RungInfo& rung : variants().find(seam).rungs()) {
        if (rung.exercise || !rung.batch_invariant || !can_run(*model, {{seam, rung.name}})) continue;
        ++tried;
        INFO(shape << ", weights " << traits(type).name << ", " << seam << " " << rung.name);
        Rng rng(11);
        for (int round = 0; round < 3; ++round) {
          std::vector<Ids> prompts;
          const auto n = 1 + rng.below(8);
          for (std::uint64_t i = 0; i < n; ++i) {
            prompts.push_back(random_ids(rng, 1 + static_cast<int>(rng.below(50)), model->config.vocab_size));
          }
          const int threads = 1 + round % 2;
          const auto logits = together(*model, config_with(seam, rung.name, threads), prompts, rng);
          for (std::size_t i = 0; i < prompts.size(); ++i) {
            const auto expected = alone(*model, config_with(seam, rung.name, 3 - threads), prompts[i]);
            REQUIRE(logits[i].size() == expected.size());
            INFO("round " << round << ", sequence " << i << " of " << n);
            REQUIRE(std::memcmp(logits[i].data(), expected.data(), expected.size() * sizeof(float)) == 0);
          }
          // The test is about something: different tokens give different, finite logits.
          const auto [low, high] = std::minmax_element(logits[0].begin(), logits[0].end());
          REQUIRE(*high - *low > 0.1f);
        }
      }
    }
  }
  CHECK(tried >=
        5 * (3 + 3) + 2 * 2);  // three rungs of each seam for every model, two more for q8_0 and q4_0
}

TEST_CASE("packed: the bits of int8 through a whole model, and the engine counts its copy") {
  for (const DType type : {DType::q8_0, DType::q4_0, DType::mxfp4}) {
    const auto model = odd_model(type, "test-tiny");
    Rng rng(3);
    const Ids prompt = random_ids(rng, 20, model->config.vocab_size);
    CHECK(alone(*model, config_with("linear", "packed", 2), prompt) ==
          alone(*model, config_with("linear", "int8", 1), prompt));
    CHECK(Engine(model, variants(), config_with("linear", "int8")).memory().packed_bytes == 0);
    const EngineMemory memory = Engine(model, variants(), config_with("linear", "packed")).memory();
    CHECK(memory.packed_bytes > memory.weights_bytes / 2);
    CHECK(Engine(model, variants(), {}).rungs().at("linear") == "packed");
    CHECK(Engine(model, variants(), exact_config()).rungs().at("linear") == "simd");
  }
}

TEST_CASE("weights that would not fit into memory twice are read where they are, and a sentence says so") {
  const auto model = odd_model(DType::q8_0, "test-tiny");
  for (const std::string choice : {"auto", "float32", "packed"}) {
    std::string told;
    EngineConfig config = config_with("linear", choice);
    config.notice = [&](const std::string& sentence) { told += sentence; };
    config.copy_budget = 1000;
    const Engine engine(model, variants(), config);
    INFO(choice << ": " << told);
    CHECK(engine.rungs().at("linear") == (choice == "packed" ? "packed" : "simd"));  // a name is obeyed
    CHECK((engine.memory().packed_bytes == 0) == (choice != "packed"));
    CHECK((told.find("read from the file") != std::string::npos) == (choice == "auto"));
  }
}

namespace {

/// Every combination of one rung per seam of a step, the learner's left out. Seams of planning and of
/// loading take no part in a step: they have their own test below.
std::vector<std::map<std::string, std::string>> combinations(const Model& model) {
  std::vector<std::map<std::string, std::string>> all = {{}};
  for (const char* seam : {"attention", "kv", "linear", "sampler"}) {
    const LadderBase* ladder = &variants().find(seam);
    std::vector<std::map<std::string, std::string>> longer;
    for (const auto& chosen : all) {
      for (const RungInfo& rung : ladder->rungs()) {
        if (rung.exercise || !can_run(model, {{seam, rung.name}})) continue;
        longer.push_back(chosen);
        longer.back()[ladder->seam()] = rung.name;
      }
    }
    all = std::move(longer);
  }
  return all;
}

/// These rungs, and nothing rounded beside what they round.
EngineConfig exact_with(const std::map<std::string, std::string>& rungs) {
  EngineConfig config = exact_config();
  for (const auto& [seam, name] : rungs) config.rungs[seam] = name;
  return config;
}

std::string describe(const std::map<std::string, std::string>& rungs) {
  std::string text;
  for (const auto& [seam, name] : rungs) text += fmt::format("{}={} ", seam, name);
  return text;
}

}  // namespace

TEST_CASE("same text: every combination of rungs writes what the naive engine writes, on the embedded model",
          "[walk]") {
  const auto model = embedded_model();
  const auto all = combinations(*model);
  REQUIRE(all.size() >= 3 * 3 * 2);  // attention x linear x sampler x kv
  std::string naive;
  for (const auto& rungs : all) {
    EngineConfig config = exact_with(rungs);
    config.context = 128;
    Engine engine(model, variants(), config);
    Request request = greedy(model->tokenizer->encode("Once upon a time", true), 20);
    request.ignore_end = true;
    const Result result = engine.run(std::move(request));
    if (naive.empty()) naive = result.text;
    INFO(describe(rungs));
    CHECK(result.text == naive);
  }
  CHECK(naive.size() > 40);
}

TEST_CASE("same text: the exact rungs write what the naive ones write, whatever the format of the weights") {
  const std::string tiny = testing::source_file("models/tiny.gguf");
  for (const DType type : {DType::q8_0, DType::q4_0, DType::q4_k, DType::bf16}) {
    const std::string path = testing::scratch_file(fmt::format("exact_{}.gguf", traits(type).name));
    quantize(tiny, path, type, 2);
    const auto model = std::make_shared<const Model>(load_model(path));
    const auto text = [&](EngineConfig config) {
      config.context = 128;
      Engine engine(model, variants(), config);
      Request request = greedy(model->tokenizer->encode("Once upon a time", true), 40);
      request.ignore_end = true;
      return engine.run(std::move(request)).text;
    };
    std::map<std::string, std::string> naive;
    for (const char* seam : {"attention", "kv", "linear", "sampler", "fusion", "scheduler"}) {
      naive[seam] = variants().find(seam).rungs().front().name;
    }
    INFO(traits(type).name);
    CHECK(text(exact_config()) == text(exact_with(naive)));
  }
}

TEST_CASE("same text: whatever rung of a loading seam has read the model") {
  for (const char* name : {"models/tiny", "models/tiny.gguf"}) {
    const std::string path = testing::source_file(name);
    std::string first;
    for (const char* seam : {"loading", "safetensors_index", "tokenization"}) {
      for (const RungInfo& rung : variants().find(seam).rungs()) {
        if (rung.exercise) continue;
        INFO(name << ", " << seam << " " << rung.name);
        EngineConfig config = config_with(seam, rung.name);
        config.context = 128;
        const auto model = std::make_shared<const Model>(load_with_rungs(variants(), config, path));
        Engine engine(model, variants(), config);
        const Result result = engine.run(greedy(model->tokenizer->encode("Once upon a time", true), 20));
        if (first.empty()) first = result.text;
        CHECK(result.text == first);
      }
    }
    CHECK(first.size() > 20);
  }
}

TEST_CASE("stories260K writes its author's text under every combination of rungs", "[walk]") {
  const auto path = testing::shared_file("models/stories260K-f32.gguf");
  if (path.empty()) return;
  std::ifstream in(testing::shared_file("models/stories260K.expected.json"));
  const auto recorded = nlohmann::json::parse(in);
  const std::string expected = recorded["expected_continuation_starts_with"];
  const auto model = std::make_shared<const Model>(load_model(path));
  for (const auto& rungs : combinations(*model)) {
    const EngineConfig config = exact_with(rungs);
    Engine engine(model, variants(), config);
    const Result result =
        engine.run(greedy(model->tokenizer->encode(recorded["prompt"].get<std::string>(), true), 200));
    INFO(describe(rungs));
    CHECK(result.text.substr(0, expected.size()) == expected);
  }
}

TEST_CASE("requests that run together write what each writes alone, and a seed repeats on any thread count") {
  const auto model = embedded_model();
  Rng rng(3);
  const auto request_number = [&](int i) {
    Request request =
        greedy(model->tokenizer->encode(i % 2 ? "The old king" : "One day a little girl", true), 12 + 5 * i);
    request.sampling.temperature = i % 3 == 0 ? 0.0f : 0.9f;
    request.sampling.top_p = 0.95f;
    request.sampling.seed = static_cast<std::uint64_t>(i);
    request.sampling.repetition_penalty = i == 4 ? 1.2f : 1.0f;
    request.sampling.logprobs = 2;
    return request;
  };
  std::vector<Result> separate;
  for (int i = 0; i < 6; ++i) {
    Engine engine(model, variants(), config_with("", "", 1));
    separate.push_back(engine.run(request_number(i)));
    CHECK(separate.back().samples.size() == separate.back().token_ids.size());
  }
  EngineConfig config = config_with("", "", 2);
  config.max_sequences = 4;    // fewer than requests: some wait
  config.max_step_tokens = 7;  // prompts are cut into chunks
  Engine engine(model, variants(), config);
  std::vector<int> ids;
  for (int i = 0; i < 6; ++i) ids.push_back(engine.submit(request_number(i)));
  while (engine.step()) {
  }
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const Result result = engine.take(ids[i]);
    CHECK(result.token_ids == separate[i].token_ids);
    CHECK(result.text == separate[i].text);
    CHECK(result.samples[0].logprob == separate[i].samples[0].logprob);
  }
  CHECK(separate[1].token_ids != separate[5].token_ids);  // another seed, another text
}

TEST_CASE("stop strings, stop ids, lengths and cancellation end a request as they should") {
  const auto model = embedded_model();
  Engine engine(model, variants(), config_with("", ""));
  const Ids prompt = model->tokenizer->encode("Once upon a time", true);
  Request plain = greedy(prompt, 40);
  plain.ignore_end = true;
  const Result whole = engine.run(plain);
  CHECK(whole.finish_reason == FinishReason::length);
  CHECK(whole.token_ids.size() == 40);

  Request stopped = plain;
  const std::string stop = whole.text.substr(20, 7);  // crosses token boundaries
  stopped.stop = {"never appears in this text", stop};
  std::string streamed;
  stopped.on_delta = [&](const Delta& delta) { streamed += delta.text; };
  const Result cut = engine.run(stopped);
  CHECK(cut.finish_reason == FinishReason::stop);
  CHECK(cut.text == whole.text.substr(0, whole.text.find(stop)));
  CHECK(streamed == cut.text);

  Request by_id = plain;
  by_id.stop_ids = {whole.token_ids[5]};
  const Result ended = engine.run(by_id);
  CHECK(ended.finish_reason == FinishReason::stop);
  CHECK(ended.token_ids.size() <= 6);
  CHECK(ended.token_ids.back() == whole.token_ids[5]);

  int steps = 0;
  const Result cancelled = engine.run(plain, [&] { return ++steps > 10; });
  CHECK(cancelled.finish_reason == FinishReason::cancelled);
  CHECK(cancelled.token_ids.size() == 10);
  CHECK(engine.run(plain).text == whole.text);  // the cancelled one's memory came back
}

TEST_CASE("a prompt that fills the context gives one token; a longer one is refused") {
  const auto model = odd_model(DType::f32);
  EngineConfig config;
  config.context = 16;
  Engine engine(model, variants(), config);
  Rng rng(5);
  Request full = greedy(random_ids(rng, 16, model->config.vocab_size), 10);
  full.ignore_end = true;
  const Result result = engine.run(full);
  CHECK(result.token_ids.size() == 1);
  CHECK(result.finish_reason == FinishReason::length);
  CHECK_THROWS_WITH(engine.run(greedy(random_ids(rng, 17, model->config.vocab_size), 10)),
                    testing::contains("the prompt has 17 tokens, but the context holds 16"));
}

TEST_CASE("what can never run is refused with a sentence, and the engine goes on") {
  const auto model = odd_model(DType::f32);
  Engine engine(model, variants(), config_with("", ""));
  const Request good = greedy({1, 2, 3}, 4);
  const auto refused = [&](const std::function<void(Request&)>& spoil, const std::string& words) {
    Request bad = good;
    spoil(bad);
    CHECK_THROWS_AS(engine.submit(bad), UsageError);
    CHECK_THROWS_WITH(engine.submit(bad), testing::contains(words));
  };
  refused([](Request& r) { r.prompt.clear(); }, "prompt is empty");
  refused([](Request& r) { r.prompt = {-1}; }, "outside the vocabulary");
  refused([&](Request& r) { r.prompt = {model->config.vocab_size}; }, "outside the vocabulary");
  refused([](Request& r) { r.max_tokens = 0; }, "must be at least 1");
  refused([](Request& r) { r.stop_ids = {1 << 30}; }, "outside the vocabulary");
  refused([](Request& r) { r.stop = {"a", ""}; }, "stop string is empty");
  refused([](Request& r) { r.sampling.temperature = std::numeric_limits<float>::quiet_NaN(); },
          "temperature");
  CHECK_FALSE(engine.run(good).token_ids.empty());

  const auto build = [&](const EngineConfig& config) { Engine(model, variants(), config); };
  EngineConfig config;
  config.context = model->config.context_length + 1;
  CHECK_THROWS_WITH(build(config), testing::contains("trained for"));
  config = {};
  config.threads = -1;
  CHECK_THROWS_AS(build(config), UsageError);
  CHECK_THROWS_WITH(build(config_with("attention", "quick")),
                    testing::contains("no rung 'quick'; choose one of: auto, float32, in_place, naive"));
  CHECK_THROWS_WITH(build(config_with("router", "x")),
                    testing::contains("unknown seam 'router'; choose one of: arrivals, attention"));
  config = {};
  config.device = "tpu";
  CHECK_THROWS_AS(build(config), UsageError);
}

TEST_CASE("logits() in chunks equals one step, and the tap sees every layer") {
  const auto model = odd_model(DType::f16);
  Rng rng(13);
  const Ids ids = random_ids(rng, 45, model->config.vocab_size);
  EngineConfig config;
  config.max_step_tokens = 9;
  config.max_step_outputs = 9;
  Engine engine(model, variants(), config);
  std::vector<float> rows;
  engine.logits(ids,
                [&](const Tensor& t) { rows.insert(rows.end(), t.ptr<float>(), t.ptr<float>() + t.size()); });
  CHECK(rows == alone(*model, config_with("", ""), ids));

  config = config_with("", "");
  config.context = config.max_step_tokens = config.max_step_outputs = 4;
  Transformer transformer(*model, variants(), config, cpu_device());
  const auto kv = variants().ladder<KvCache>().make("auto", kv_config(config, model->config, cpu_device()));
  const int seq = kv->open();
  kv->grow(seq, 4);
  Batch batch;
  append_rows(batch, *kv, seq, 0, 4, 1, [&](int p) { return ids[static_cast<std::size_t>(p)]; });
  int seen = 0;
  transformer.forward(batch, *kv, [&](std::string_view, int, const Tensor& t) {
    ++seen;
    for (std::int64_t r = 0; r < t.rows; ++r) {
      for (std::int64_t c = 0; c < t.cols; ++c) REQUIRE(std::isfinite(t.ptr<float>(r)[c]));
    }
  });
  CHECK(seen == 2 + 2 * model->config.layers);
}
