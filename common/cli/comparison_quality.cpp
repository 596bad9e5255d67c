// Measures the perplexity of every variant, and how much its predictions differ from those of the first
// variant's model in float32 arithmetic.

#include <algorithm>
#include <filesystem>
#include <optional>

#include <unistd.h>

#include "catalog/variants.hpp"
#include "cli/comparison.hpp"
#include "core/input_text.hpp"
#include "engine/resolve.hpp"
#include "measure/perplexity.hpp"

namespace rung::cli {
namespace {

constexpr int kDefaultWindow = 512;

/// A folder that is removed with all its files by the destructor.
class TemporaryFolder {
 public:
  TemporaryFolder() : path_((std::filesystem::temp_directory_path() / "rung-XXXXXX").string()) {
    if (::mkdtemp(path_.data()) == nullptr)
      fail("no temporary folder can be made in {}; set TMPDIR to a folder that can be written to",
           std::filesystem::temp_directory_path().string());
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

/// The first variant's model in float32 arithmetic: its model, context and threads, and no other options.
VariantSpec exact_spec(const VariantSpec& first) {
  VariantSpec exact;
  for (std::size_t i = 0; i + 1 < first.words.size(); ++i) {
    for (const char* kept : {"--model", "--ctx", "--threads"}) {
      if (first.words[i] == kept) exact.words.insert(exact.words.end(), {kept, first.words[i + 1]});
    }
  }
  exact.words.emplace_back("--exact");
  return exact;
}

/// A text of about `tokens` tokens that the model writes itself: samples of its predictions, each up to its
/// end.
std::string self_written(const LoadedVariant& v, int tokens) {
  constexpr int kLongest = 256;  // of a sample
  constexpr int kAtOnce = 16;
  EngineConfig config = v.config;
  config.context = std::min(kLongest, longest_context(v.config, v.model->config));
  config.max_sequences = kAtOnce;
  Engine engine(v.model, variants(), config);
  Request request;
  request.prompt = v.model->tokenizer->encode("Once upon a time", true);
  request.max_tokens = config.context - static_cast<int>(request.prompt.size());
  request.sampling.temperature = 1;
  request.n = kAtOnce;
  std::string text;
  // Every turn writes at least one token per sample, so there is an end.
  for (int written = 0; written < tokens; request.sampling.seed += kAtOnce) {
    for (const Result& result : engine.run_samples(request, interrupted)) {
      text += "Once upon a time" + result.text + "\n\n";
      written += static_cast<int>(request.prompt.size() + result.token_ids.size());
    }
    check_interrupted();
  }
  return text;
}

class QualityRunner final : public PartRunner {
 public:
  QualityRunner(const PartPlan& plan, const std::vector<VariantSpec>& variants)
      : plan_(plan), specs_(variants) {}

  void load(StoredPart& part) override {
    for (const VariantSpec& spec : specs_) loaded_.emplace_back(spec);
    const LoadedVariant reference(exact_spec(specs_.front()));
    choose_window();
    const int windows = plan_.chunks > 0 ? plan_.chunks : 8;
    text_ = plan_.text.empty() ? self_written(reference, plan_.window * windows)
                               : read_input(plan_.text, "the text");
    part.reference = model_label(reference.stored.model) + " --exact";
    part.workload = plan_.text.empty()
                        ? fmt::format("text that {} wrote", model_label(reference.stored.model))
                        : std::filesystem::path(plan_.text).filename().string();
    reference_ids_ = reference.model->tokenizer->encode(text_, true);
    measure(reference, true);
    part.variants.clear();
    bool same_weights = true;
    for (LoadedVariant& v : loaded_) {
      EngineConfig config = v.config;
      fit_to_windows(config, plan_.window, v.model->config);
      const Engine engine(v.model, variants(), config);
      v.describe(engine);
      same_weights = same_weights && v.stored.weights_bytes == loaded_.front().stored.weights_bytes;
      part.variants.push_back(v.stored);
    }
    counts_kv_ = same_weights;
    part.bytes_of = counts_kv_ ? "KV cache per token" : "weights";
    if (part.points.empty()) part.points.emplace_back();
  }

  StoredRun run(std::size_t /*point*/, std::size_t variant, int /*round*/) override {
    const LoadedVariant& v = loaded_[variant];
    const PerplexityResult result = measure(v, false);
    StoredRun run;
    run.figures = {
        {"ppl", result.ppl()},
        {"tokens", static_cast<double>(result.predicted)},
        {"bytes", counts_kv_ ? v.stored.kv_bytes_per_token : static_cast<double>(v.stored.weights_bytes)}};
    if (result.bytes > 0) run.figures["bits_per_byte"] = result.bits_per_byte();
    if (result.ppl_error()) run.figures["ppl_error"] = *result.ppl_error();
    if (result.divergence) {
      run.figures["kl"] = result.divergence->kl;
      run.figures["same_top"] = result.divergence->same_top;
      if (result.divergence->kl_error) run.figures["kl_error"] = *result.divergence->kl_error;
    }
    return run;
  }

 private:
  void choose_window() {
    int longest = 0;
    for (const LoadedVariant& v : loaded_) {
      const int allowed = longest_context(v.config, v.model->config) + 1;  // a window's last token is not fed
      longest = longest == 0 ? allowed : std::min(longest, allowed);
    }
    if (plan_.window > longest)
      fail_usage("--ctx is {}, but these models allow windows of at most {} tokens", plan_.window, longest);
    if (plan_.window == 0) plan_.window = std::min(kDefaultWindow, longest);
  }

  /// Measures one variant. If it reads the reference's tokens, compares it with the reference's predictions,
  /// or stores them if `store` is true.
  PerplexityResult measure(const LoadedVariant& v, bool store) {
    const std::vector<std::int32_t> ids = v.model->tokenizer->encode(text_, true);
    EngineConfig config = v.config;
    fit_to_windows(config, plan_.window, v.model->config);
    Engine engine(v.model, variants(), config);
    PerplexityOptions options;
    options.ctx = plan_.window;
    options.max_windows = static_cast<std::size_t>(plan_.chunks);
    options.model_name = v.stored.model;
    options.progress = [](std::uint64_t, std::uint64_t) { check_interrupted(); };
    if (store) {
      options.save = folder_.file("reference");
    } else if (ids == reference_ids_) {
      options.reference = folder_.file("reference");
    }
    return measure_perplexity(engine, ids, options);
  }

  PartPlan plan_;
  std::vector<VariantSpec> specs_;
  std::vector<LoadedVariant> loaded_;
  TemporaryFolder folder_;
  std::string text_;
  std::vector<std::int32_t> reference_ids_;
  bool counts_kv_ = false;
};

}  // namespace

std::unique_ptr<PartRunner> make_quality_runner(const PartPlan& plan,
                                                const std::vector<VariantSpec>& variants) {
  return std::make_unique<QualityRunner>(plan, variants);
}

}  // namespace rung::cli
