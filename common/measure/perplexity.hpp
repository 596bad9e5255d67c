#pragma once
// Perplexity: how well a model predicts a text, and how much its predictions differ from those of a reference
// model.
//
// The text is read in windows of `ctx` tokens that begin `stride` tokens apart, as in Hugging Face's guide
// (huggingface.co/docs/transformers/perplexity). A token counts once, in the first window that contains it.
// The first token of a window cannot be predicted in this window. Therefore, if stride == ctx, all tokens
// count except the first of each window. With a smaller stride, all tokens count except the first of the
// text, and each token outside the first window has at least ctx - stride tokens before it. No token is put
// before the later windows. The model does not read the last token of a window, so ctx can be one more than
// the model's context length.
//
//   nll           mean of -ln p(token | tokens before it in its window): nats per predicted token
//   ppl           exp(nll)
//   bits_per_byte sum of -log2 p over the bytes that the predicted tokens stand for
//
// Probabilities are summed in float64. Standard errors treat the windows, and not the tokens, as independent
// samples, because neighboring tokens are not independent. With fewer than two windows, there is no standard
// error.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/engine.hpp"

namespace rung {

/// Tokens [begin, end) of the text. Those from `first` on are counted.
struct PerplexityWindow {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::size_t first = 0;
};

/// Returns the windows of a text of `tokens` tokens, at most `max_windows` if that is not 0. Throws
/// UsageError if ctx is below 2 or stride is outside 1 .. ctx.
std::vector<PerplexityWindow> perplexity_windows(std::size_t tokens, int ctx, int stride,
                                                 std::size_t max_windows = 0);

/// The mean of values that are grouped (by window), with the standard error of the ratio sum of values /
/// number of values over the groups (Cochran, Sampling Techniques, chapter 6).
class GroupedMean {
 public:
  explicit GroupedMean(std::size_t groups) : sums_(groups), counts_(groups) {}
  void add(std::size_t group, double value) {
    sums_[group] += value;
    counts_[group] += 1;
  }
  double mean() const;                           // 0 if there are no values
  std::optional<double> standard_error() const;  // none with fewer than two groups

 private:
  std::vector<double> sums_, counts_;
};

/// Returns the value below which the share `q` (0 .. 1) of `values` is, with linear interpolation between
/// neighbors. Reorders the values.
double quantile(std::vector<float>& values, double q);

/// The difference between this model's predictions and the reference's, token by token. KL divergences are in
/// nats.
struct DivergenceResult {
  std::string reference_model;
  double reference_nll = 0;
  double kl = 0;  // mean of KL(reference || model)
  std::optional<double> kl_error;
  double kl_median = 0, kl_90 = 0, kl_99 = 0, kl_999 = 0, kl_max = 0;
  double same_top = 0;  // share of the tokens for which both models find the same token most probable
  std::optional<double> same_top_error;
  /// Root-mean-square of p_model - p_reference, where p is the probability of the actual next token
  double p_rms = 0;
  double nll_difference = 0;                   // nll - reference_nll, which equals ln(ppl / reference ppl)
  std::optional<double> nll_difference_error;  // of the paired differences
};

/// The tokens at places `from` to `to` of their windows. Place 0 is never predicted.
struct PerplexityPart {
  int from = 0, to = 0;
  std::uint64_t predicted = 0;  // 0: no window of the text is that long, and nll has no meaning
  double nll = 0;
  std::optional<double> nll_error;
};

struct PerplexityResult {
  double nll = 0;
  std::optional<double> nll_error;
  std::uint64_t predicted = 0;  // tokens
  std::uint64_t bytes = 0;  // bytes of the text that the predicted tokens stand for; 0 without a tokenizer
  std::size_t windows = 0;
  std::optional<DivergenceResult> divergence;
  std::vector<PerplexityPart> parts;

  double ppl() const;
  std::optional<double> ppl_error() const;  // ppl * nll_error: the first-order error of exp
  double bits_per_byte() const;             // REQUIRES: bytes > 0
};

struct PerplexityOptions {
  int ctx = 512;
  int stride = 0;               // 0: ctx
  std::size_t max_windows = 0;  // 0: all
  int parts = 0;                // number of equal parts of a window whose means are reported too; 0: none
  std::string save;             // write the predictions to this file (logit_reference.hpp)
  std::string reference;        // compare with the predictions in this file
  std::string model_name;       // stored in the file `save`
  std::function<void(std::uint64_t done, std::uint64_t total)> progress;  // counted tokens; may throw
};

/// Sets the context and the numbers of sequences, tokens and outputs of a step to what windows of `ctx`
/// tokens need.
void fit_to_windows(EngineConfig& config, int ctx, const ModelConfig& model);

/// Measures the text `ids`. REQUIRES: the engine's context is at least options.ctx - 1. Throws UsageError if
/// the text has no token to predict, and Error if logits are not finite or a file does not match.
PerplexityResult measure_perplexity(Engine& engine, std::span<const std::int32_t> ids,
                                    const PerplexityOptions& options);

}  // namespace rung
