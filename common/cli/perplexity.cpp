// rung perplexity: measures how well a model predicts a text, with error bars, and how much its predictions
// differ from those of a reference.

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "catalog/variants.hpp"
#include "cli/cli.hpp"
#include "core/output_file.hpp"
#include "engine/resolve.hpp"
#include "measure/perplexity.hpp"
#include "measure/perplexity_report.hpp"

namespace rung::cli {
namespace {

constexpr const char* kDefinition =
    "The text is read in windows of --ctx tokens that begin --stride tokens apart (default: --ctx, side by "
    "side).\n"
    "A token counts once, in the first window that contains it. The first token of a window is not predicted "
    "there.\n"
    "The start token, if the model uses one, stands before the text only, not before later windows.\n"
    "bits_per_byte divides by the bytes of exactly the tokens that counted. Special tokens have no bytes.\n"
    "The error bars are standard errors of the mean, with windows as the independent draws.";

constexpr int kDefaultWindow = 512;
constexpr int kLongestText = (1 << 24) - 1;

struct PerplexityCommand {
  RunOptions run;
  std::string file;
  PerplexityOptions options;
  int stride = 0, chunks = 0, parts = 0, window = 0;
  bool no_bos = false;

  PerplexityOptions checked(const Model& model) const {
    if (!options.reference.empty()) protect_input(options.reference);
    PerplexityOptions o = options;
    // With --sinks the text outgrows the cache, which has to fit the model.
    const int fed = run.sinks >= 0 ? kLongestText : longest_context(run.config(), model.config);
    const int longest = fed + 1;  // a window's last token is not fed
    o.ctx = run.context > 0 ? run.context : std::min(kDefaultWindow, longest);
    if (o.ctx > longest) {
      fail_usage(
          "--ctx {} is longer than this model allows; use at most {}, its {} tokens and the one that they "
          "predict",
          o.ctx, longest, fed);
    }
    if (window != 0 && run.sinks < 0) {
      fail_usage("--window is {}; it is the number of tokens that --sinks keeps, at least 1", window);
    }
    if (parts >= o.ctx) fail_usage("--parts is {}; it must be at least 1 and below --ctx", parts);
    o.parts = parts;
    o.stride = stride;
    o.max_windows = static_cast<std::size_t>(chunks);
    o.model_name = std::filesystem::path(model.path).filename().string();
    perplexity_windows(0, o.ctx, o.stride == 0 ? o.ctx : o.stride);  // refuses before the text is read
    return o;
  }

  EngineConfig engine_config(const PerplexityOptions& o, const ModelConfig& model) const {
    EngineConfig config = run.config();
    fit_to_windows(config, o.ctx, model);
    if (run.sinks >= 0) {
      config.context = window > 0 ? window : std::min(o.ctx - 1, model.context_length);
      config.max_sequences = std::clamp(config.max_step_tokens / config.context, 1, 64);
    }
    return config;
  }

  void execute(bool json) const;
};

std::string plus_minus(const std::optional<double>& error, int digits) {
  return error ? fmt::format(" +- {:.{}f}", *error, digits) : std::string();
}

void print_divergence(const DivergenceResult& d) {
  fmt::print("\nagainst {} (perplexity {:.4f})\n", d.reference_model, std::exp(d.reference_nll));
  fmt::print("KL divergence   {:.6f}{} nats per token\n", d.kl, plus_minus(d.kl_error, 6));
  fmt::print("                median {:.6f}, 90 % {:.6f}, 99 % {:.6f}, 99.9 % {:.6f}, max {:.6f}\n",
             d.kl_median, d.kl_90, d.kl_99, d.kl_999, d.kl_max);
  fmt::print("same top token  {:.3f} %{}\n", 100 * d.same_top,
             plus_minus(d.same_top_error ? std::optional(100 * *d.same_top_error) : std::nullopt, 3));
  fmt::print("RMS of p        {:.3f} % (difference of the probability of the token that came)\n",
             100 * d.p_rms);
  fmt::print("ln(ppl ratio)   {:.6f}{}\n", d.nll_difference, plus_minus(d.nll_difference_error, 6));
}

/// `saved`: the file that the predictions were written to, if any.
void print(const PerplexityReport& report, const std::string& saved) {
  const PerplexityResult& r = report.result;
  fmt::print("perplexity      {:.4f}{}\n", r.ppl(), plus_minus(r.ppl_error(), 4));
  fmt::print("nats per token  {:.4f}{}\n", r.nll, plus_minus(r.nll_error, 4));
  if (r.bytes > 0) fmt::print("bits per byte   {:.4f}\n", r.bits_per_byte());
  fmt::print("predicted       {} tokens, {} bytes, in {} windows of {} tokens\n", r.predicted, r.bytes,
             r.windows, report.ctx);
  for (const PerplexityPart& p : r.parts) {
    fmt::print("tokens {:5} to {:5} of a window: {:.4f}{} nats per token\n", p.from, p.to, p.nll,
               plus_minus(p.nll_error, 4));
  }
  if (!saved.empty()) fmt::print("reference       written to {}\n", saved);
  if (r.divergence) print_divergence(*r.divergence);
}

void PerplexityCommand::execute(bool json) const {
  const auto model = run.load();
  PerplexityOptions o = checked(*model);
  TextOptions text;
  text.file = file;
  const std::vector<std::int32_t> ids = model->tokenizer->encode(text.read(), !no_bos);
  Engine engine(model, variants(), engine_config(o, model->config));

  Progress progress("perplexity");
  o.progress = progress.watcher();
  const Timer timer;
  PerplexityReport report;
  report.result = measure_perplexity(engine, ids, o);
  report.seconds = timer.seconds();
  report.ctx = o.ctx;
  report.stride = o.stride == 0 ? o.ctx : o.stride;
  report.text_tokens = ids.size();
  report.rungs = engine.rungs();
  if (json) return print_json(to_json(report));
  print(report, o.save);
}

}  // namespace

void add_perplexity(Command& app, Program& program) {
  Command* command = add_command(app, program, "perplexity", "measure how well a model predicts a text");
  const auto state = std::make_shared<PerplexityCommand>();
  state->run.add_to(*command);
  command->add_option("-f,--file", state->file, "file with the text; - reads stdin")->required();
  command
      ->add_option(
          "--stride", state->stride,
          "number of tokens from the beginning of one window to the beginning of the next (default: --ctx)")
      ->range(1);
  command->add_option("--chunks", state->chunks, "read only the first N windows (default: all)")->range(1);
  command
      ->add_option("--window", state->window,
                   "with --sinks: total number of tokens that the KV cache keeps (default: the model's "
                   "context length)")
      ->range(1);
  command
      ->add_option("--parts", state->parts,
                   "also report the mean for each of N equal parts of a window (default: 0, none)")
      ->range(1);
  command->add_option(
      "--save-logits", state->options.save,
      "write all predictions to this file; each prediction takes 2 bytes per token of the vocabulary");
  command->add_option("--kl", state->options.reference,
                      "compare with the predictions in this file, which --save-logits has written: report "
                      "the Kullback-Leibler divergence");
  command->add_flag("--no-bos", state->no_bos, "do not put the model's start token before the text");
  command->footer(kDefinition);
  command->callback([&program, state] { program.run = [&program, state] { state->execute(program.json); }; });
}

}  // namespace rung::cli
