// Every architecture against transformers: the tiny models of model/parity/models, whose logits
// model/parity/make_parity.py recorded in float64.
//
// Each is computed by the plainest rungs and by those that `auto` picks, in one step, in chunks of 13, and
// with the last tokens one by one; then again from a GGUF file and a folder made of it. One CTest test per
// model: engine.parity.NAME.

#include <cmath>
#include <filesystem>
#include <fstream>
#include <set>

#include "catalog/variants.hpp"
#include "convert/convert.hpp"
#include "core/trial.hpp"
#include "devices/cpu_device.hpp"
#include "engine/batch_builder.hpp"
#include "engine/engine.hpp"
#include "engine/resolve.hpp"
#include "files/safetensors.hpp"
#include "testing/catch.hpp"

using namespace rung;
namespace fs = std::filesystem;
using Ids = std::vector<std::int32_t>;

namespace {

const std::string kModels = "common/model/parity/models";

/// What transformers answers to one prompt; golden_of() in make_parity.py describes the file.
struct Golden {
  Ids prompt;
  Ids rows, columns;          // where `sample` was taken
  std::vector<float> last;    // [vocab] after the last token
  std::vector<float> sample;  // [rows, columns]
};

std::vector<float> numbers(const SafeTensors& file, const std::string& name) {
  const SafeTensor* tensor = file.find(name);
  REQUIRE(tensor != nullptr);
  REQUIRE(tensor->view.dtype == DType::f32);
  const auto* from = tensor->view.ptr<float>();
  return {from, from + tensor->view.size()};
}

Ids integers(const SafeTensors& file, const std::string& name) {
  Ids ids;
  for (const float v : numbers(file, name)) ids.push_back(static_cast<std::int32_t>(v));
  return ids;
}

Golden read_golden(const SafeTensors& file, int tokens) {
  const std::string n = fmt::format("_{}", tokens);
  return {integers(file, "prompt" + n), integers(file, "rows" + n), integers(file, "columns"),
          numbers(file, "last" + n), numbers(file, "sample" + n)};
}

/// Logits [tokens, vocab] after every token, computed `chunk` tokens at a time and the last `single` one by
/// one.
///
/// The context is that of the prompt: LongRoPE's long factors hold for engines whose context exceeds the
/// original length, transformers switches to them by the length of what it is given.
std::vector<float> logits_of(const Model& model, EngineConfig config, const Ids& ids, int chunk, int single) {
  const int n = static_cast<int>(ids.size());
  config.context = n;
  config.threads = 2;
  config.max_step_tokens = config.max_step_outputs = std::min(chunk, n);
  Transformer transformer(model, variants(), config, cpu_device());
  const auto kv =
      variants().ladder<KvCache>().make(config.rung("kv"), kv_config(config, model.config, cpu_device()));
  const int sequence = kv->open();
  std::vector<float> all;
  for (int done = 0; done < n;) {
    const int count = n - done <= single ? 1 : std::min(chunk, n - single - done);
    REQUIRE(kv->grow(sequence, done + count));
    Batch batch;
    append_rows(batch, *kv, sequence, done, count, count,
                [&](int p) { return ids[static_cast<std::size_t>(p)]; });
    const Tensor logits = transformer.forward(batch, *kv);
    all.insert(all.end(), logits.ptr<float>(), logits.ptr<float>() + logits.size());
    done += count;
  }
  return all;
}

/// The plainest rung of every seam.
EngineConfig plain() {
  EngineConfig config = exact_config();
  for (const LadderBase* ladder : variants().all())
    config.rungs[ladder->seam()] = ladder->rungs().front().name;
  return config;
}

/// What rounding may do to a logit. A sum of n terms is off by about eps * sqrt(n) times its terms' size, and
/// the errors of the sums on the way add up like their root: eps * sqrt(layers * (widest sum of the
/// feed-forward block + of attention over the context)) times the size of the logits. The factor is what the
/// peaked attention of these models multiplies an error by; transformers' own float32 run needs up to 2.9
/// (make_parity.py prints it).
double allowed(const ModelConfig& model, const Golden& golden) {
  double norm = 0;
  for (const float v : golden.last) norm = std::max(norm, std::fabs(static_cast<double>(v)));
  const auto terms = static_cast<double>(model.layers) *
                     (std::max(model.ffn_dim, model.dim) + static_cast<double>(golden.prompt.size()));
  constexpr double kEps = 1.2e-7, kAmplified = 2;
  return kAmplified * kEps * std::sqrt(terms) * norm;
}

void check_against(const Golden& golden, const std::vector<float>& logits, double tolerance) {
  const std::size_t vocab = golden.last.size();
  REQUIRE(logits.size() == golden.prompt.size() * vocab);
  std::vector<float> got(logits.end() - static_cast<std::ptrdiff_t>(vocab), logits.end());
  std::vector<double> expected(golden.last.begin(), golden.last.end());
  const std::vector<double> tolerances = {tolerance};
  const Verdict last = compare("logits of the last row", {{"token", static_cast<std::int64_t>(vocab)}}, got,
                               expected, tolerances);
  INFO("largest difference " << last.error << ", allowed " << tolerance << " " << last.message);
  CHECK(last.status == Verdict::Status::passed);

  got.clear();
  for (const std::int32_t row : golden.rows) {
    for (const std::int32_t column : golden.columns)
      got.push_back(logits[static_cast<std::size_t>(row) * vocab + static_cast<std::size_t>(column)]);
  }
  expected.assign(golden.sample.begin(), golden.sample.end());
  const Verdict sample = compare("logits of some rows",
                                 {{"of `rows`", static_cast<std::int64_t>(golden.rows.size())},
                                  {"of `columns`", static_cast<std::int64_t>(golden.columns.size())}},
                                 got, expected, tolerances);
  INFO("largest difference " << sample.error << ", allowed " << tolerance << " " << sample.message);
  CHECK(sample.status == Verdict::Status::passed);
}

std::set<std::string> in_this_file() {
  std::ifstream in(testing::source_file("common/engine/parity_test.cpp"));
  std::set<std::string> names;
  const std::string start = "TEST_CASE(\"parity: ";
  for (std::string line; std::getline(in, line);) {
    if (line.rfind(start, 0) == 0)
      names.insert(line.substr(start.size(), line.find('"', start.size()) - start.size()));
  }
  return names;
}

/// The model as `path` has it, on the prompt that is long enough for every window and stretched RoPE.
void check_copy(const std::string& path, const SafeTensors& file, const EngineConfig& config) {
  INFO(path);
  const Model model = load_model(path);
  const Golden golden = read_golden(file, 300);
  check_against(golden, logits_of(model, config, golden.prompt, 13, 5), allowed(model.config, golden));
}

/// As a GGUF file, and that as a folder again: other names, other order of rows, the same logits.
void check_converted(const std::string& name, const std::string& folder, const SafeTensors& file) {
  const fs::path scratch = testing::scratch_file("parity_" + name);
  fs::create_directories(scratch);
  const std::string gguf = (scratch / "model.gguf").string(), back = (scratch / "back").string();
  if (name == "smollm3") {  // its layers without RoPE are not where GGUF's architecture has them
    CHECK_THROWS_WITH(convert_to_gguf(folder, gguf, {}), testing::contains("no key for which layers"));
  } else {
    convert_to_gguf(folder, gguf, {});
    check_copy(gguf, file, exact_config());
    convert_to_hf(gguf, back, {});
    check_copy(back, file, exact_config());
  }
  fs::remove_all(scratch);
}

void check_architecture(const std::string& name) {
  const std::string folder = testing::source_file(kModels + "/" + name);
  const Model model = load_model(folder);
  const auto file = SafeTensors::open_file(folder + "/golden.safetensors");
  for (const int tokens : {1, 7, 65, 300}) {
    const Golden golden = read_golden(*file, tokens);
    REQUIRE(golden.prompt.size() == static_cast<std::size_t>(tokens));
    const double tolerance = allowed(model.config, golden);
    for (const bool naive : {true, false}) {
      const EngineConfig config = naive ? plain() : exact_config();
      for (const auto& [chunk, single] : {std::pair{512, 0}, std::pair{13, 5}}) {
        INFO(name << ", prompt of " << tokens << " tokens, " << (naive ? "plainest rungs" : "exact")
                  << ", chunks of " << chunk << ", the last " << single << " one by one");
        check_against(golden, logits_of(model, config, golden.prompt, chunk, single), tolerance);
      }
    }
  }
  check_converted(name, folder, *file);
}

}  // namespace

TEST_CASE("parity: llama", "[llama]") { check_architecture("llama"); }
TEST_CASE("parity: llama-f32", "[llama-f32]") { check_architecture("llama-f32"); }
TEST_CASE("parity: llama-f8", "[llama-f8]") { check_architecture("llama-f8"); }
TEST_CASE("parity: llama-mqa", "[llama-mqa]") { check_architecture("llama-mqa"); }
TEST_CASE("parity: llama-bias", "[llama-bias]") { check_architecture("llama-bias"); }
TEST_CASE("parity: llama-linear", "[llama-linear]") { check_architecture("llama-linear"); }
TEST_CASE("parity: llama31", "[llama31]") { check_architecture("llama31"); }
TEST_CASE("parity: llama-yarn", "[llama-yarn]") { check_architecture("llama-yarn"); }
TEST_CASE("parity: mistral", "[mistral]") { check_architecture("mistral"); }
TEST_CASE("parity: mixtral", "[mixtral]") { check_architecture("mixtral"); }
TEST_CASE("parity: mixtral-odd", "[mixtral-odd]") { check_architecture("mixtral-odd"); }
TEST_CASE("parity: qwen2", "[qwen2]") { check_architecture("qwen2"); }
TEST_CASE("parity: qwen2-tied", "[qwen2-tied]") { check_architecture("qwen2-tied"); }
TEST_CASE("parity: qwen3", "[qwen3]") { check_architecture("qwen3"); }
TEST_CASE("parity: phi3", "[phi3]") { check_architecture("phi3"); }
TEST_CASE("parity: phi3-longrope", "[phi3-longrope]") { check_architecture("phi3-longrope"); }
TEST_CASE("parity: phi3-partial", "[phi3-partial]") { check_architecture("phi3-partial"); }
TEST_CASE("parity: gemma2", "[gemma2]") { check_architecture("gemma2"); }
TEST_CASE("parity: gemma3", "[gemma3]") { check_architecture("gemma3"); }
TEST_CASE("parity: gemma3-linear", "[gemma3-linear]") { check_architecture("gemma3-linear"); }
TEST_CASE("parity: gpt2", "[gpt2]") { check_architecture("gpt2"); }
TEST_CASE("parity: gpt2-prefix", "[gpt2-prefix]") { check_architecture("gpt2-prefix"); }
TEST_CASE("parity: olmo2", "[olmo2]") { check_architecture("olmo2"); }
TEST_CASE("parity: smollm3", "[smollm3]") { check_architecture("smollm3"); }
TEST_CASE("parity: granite", "[granite]") { check_architecture("granite"); }
TEST_CASE("parity: stablelm", "[stablelm]") { check_architecture("stablelm"); }

TEST_CASE("every model of the parity suite has its test", "[every]") {
  std::set<std::string> folders;
  for (const auto& entry : fs::directory_iterator(testing::source_file(kModels)))
    folders.insert(entry.path().filename().string());
  CHECK(folders == in_this_file());
}
