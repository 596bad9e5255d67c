// The embedded models against PyTorch: logits and greedy text that models/train/golden.py recorded with
// transformers; for tiny both stores of the weights, and every rung of attention and linear.
//
// Invariance tests cannot see a mistake that all our rungs share, such as RoPE never applied to K; this can.

#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "catalog/variants.hpp"
#include "core/trial.hpp"
#include "engine/engine.hpp"
#include "testing/catch.hpp"

using namespace rung;

namespace {

struct Golden {
  std::string prompt, greedy_text;
  std::vector<std::int32_t> ids, greedy_ids;
  std::vector<std::int64_t> positions;  // of the rows of logits
  std::vector<float> logits;            // [positions, vocab]
};

Golden read_golden(const std::filesystem::path& path) {
  std::ifstream in(path);
  const auto json = nlohmann::json::parse(in);
  Golden golden;
  golden.prompt = json["prompt"];
  golden.greedy_text = json["greedy_text"];
  golden.ids = json["ids"].get<std::vector<std::int32_t>>();
  golden.greedy_ids = json["greedy_ids"].get<std::vector<std::int32_t>>();
  golden.positions = json["logits_positions"].get<std::vector<std::int64_t>>();
  const auto shape = json["logits_shape"].get<std::vector<std::size_t>>();
  golden.logits.resize(shape.at(0) * shape.at(1));
  std::ifstream raw(path.parent_path() / json["logits_file"].get<std::string>(), std::ios::binary);
  raw.read(reinterpret_cast<char*>(golden.logits.data()),
           static_cast<std::streamsize>(golden.logits.size() * sizeof(float)));
  REQUIRE(raw.gcount() == static_cast<std::streamsize>(golden.logits.size() * sizeof(float)));
  return golden;
}

/// Every prompt in `answers`, of which there are at least `least`.
void check_model(const std::string& path, const std::string& answers, int least,
                 const std::map<std::string, std::string>& rungs = {}) {
  const auto model = std::make_shared<const Model>(load_model(testing::source_file(path)));
  const auto vocab = static_cast<std::size_t>(model->config.vocab_size);
  EngineConfig config = exact_config();
  for (const auto& [seam, name] : rungs) config.rungs[seam] = name;
  config.max_step_outputs = 64;
  Engine engine(model, variants(), config);
  int seen = 0;
  for (const auto& entry : std::filesystem::directory_iterator(testing::source_file(answers))) {
    if (entry.path().extension() != ".json") continue;
    const Golden golden = read_golden(entry.path());
    INFO(path << ", " << entry.path().filename());
    CHECK(model->tokenizer->encode(golden.prompt, true) == golden.ids);

    std::vector<float> all, got;
    engine.logits(golden.ids,
                  [&](const Tensor& t) { all.insert(all.end(), t.ptr<float>(), t.ptr<float>() + t.size()); });
    for (const std::int64_t position : golden.positions) {
      const auto begin =
          all.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(position) * vocab);
      got.insert(got.end(), begin, begin + static_cast<std::ptrdiff_t>(vocab));
    }
    // Each layer's sums have at most ffn_dim terms and rounding errors of either side grow like the root of
    // all terms on the way: eps * sqrt(layers * (ffn + context)), times the size of the logits, with a factor
    // of ten.
    double norm = 0;
    for (const float v : golden.logits) norm = std::max(norm, std::fabs(static_cast<double>(v)));
    const auto terms = static_cast<double>(model->config.layers) *
                       (model->config.ffn_dim + static_cast<double>(golden.ids.size()));
    const std::vector<double> allowed = {10 * 1.2e-7 * std::sqrt(terms) * norm};
    const std::vector<double> expected(golden.logits.begin(), golden.logits.end());
    const Verdict verdict = compare("logits",
                                    {{"row", static_cast<std::int64_t>(golden.positions.size())},
                                     {"token", static_cast<std::int64_t>(vocab)}},
                                    got, expected, allowed);
    INFO("largest difference " << verdict.error << ", allowed " << verdict.tolerance << " "
                               << verdict.message);
    CHECK(verdict.status == Verdict::Status::passed);

    Request request;
    request.prompt = golden.ids;
    request.max_tokens = static_cast<int>(golden.greedy_ids.size());
    request.sampling.temperature = 0;
    request.ignore_end = true;
    const Result result = engine.run(std::move(request));
    CHECK(result.token_ids == golden.greedy_ids);
    ++seen;
  }
  CHECK(seen >= least);
}

}  // namespace

TEST_CASE("the GGUF gives PyTorch's logits and text, rung by rung") {
  for (const std::string seam : {"attention", "linear"}) {
    for (const RungInfo& rung : variants().find(seam).rungs()) {
      if (rung.exercise) continue;
      const LinearConfig f16{Tensor(nullptr, DType::f16, 0, 0), 1,
                             1};  // some rungs are for quantized weights
      if (seam == "linear" && !variants().ladder<Linear>().supports(rung.name, f16)) continue;
      INFO(seam << " " << rung.name);
      check_model("models/tiny.gguf", "models/golden", 4, {{seam, rung.name}});
    }
  }
}

TEST_CASE("the Hugging Face folder gives PyTorch's logits and text") {
  check_model("models/tiny", "models/golden", 4);
}

TEST_CASE("the rest of the family gives PyTorch's logits and text") {
  check_model("models/draft", "models/golden/draft", 2);
  check_model("models/draft.gguf", "models/golden/draft", 2);
  check_model("models/tiny-mha.gguf", "models/golden/tiny-mha", 2);
  check_model("models/moe", "models/golden/moe", 2);
}
