#pragma once
// Perplexity: how surprised a model is by a text, and how far a model is from a reference model.
//
// The text is read in windows of `ctx` tokens that begin `stride` tokens apart, as in Hugging Face's guide
// (huggingface.co/docs/transformers/perplexity). A token counts once, in the first window that holds it; the
// first token of a window cannot be predicted there. So with stride == ctx every token but the first of each
// window counts, with a smaller stride every token but the first of the text, each with at least
// ctx - stride tokens before it. Nothing is put in front of the later windows. A window's last token is
// never fed to the model, so ctx may be one more than the model's context.
//
//   nll           mean of -ln p(token | tokens before it in its window): nats per predicted token
//   ppl           exp(nll)
//   bits_per_byte sum of -log2 p over the bytes that the predicted tokens stand for
//
// Probabilities are summed in float64. Standard errors treat the windows, not the tokens, as independent
// draws (neighbouring tokens are not); with fewer than two windows there is none.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/engine.hpp"

namespace rung {

/// Tokens [begin, end) of the text, of which those from `first` on are counted.
struct PerplexityWindow {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::size_t first = 0;
};

/// The windows of a text of `tokens` tokens; at most `max_windows` when that is not 0. Throws UsageError for
/// ctx < 2 and for a stride outside 1 .. ctx.
std::vector<PerplexityWindow> perplexity_windows(std::size_t tokens, int ctx, int stride,
                                                 std::size_t max_windows = 0);

/// A mean of values that come in groups (windows), with the standard error of the ratio
/// sum of values / number of values over groups (Cochran, Sampling Techniques, chapter 6).
class GroupedMean {
 public:
  explicit GroupedMean(std::size_t groups) : sums_(groups), counts_(groups) {}
  void add(std::size_t group, double value) {
    sums_[group] += value;
    counts_[group] += 1;
  }
  double mean() const;                           // 0 when there are no values
  std::optional<double> standard_error() const;  // none with fewer than two groups

 private:
  std::vector<double> sums_, counts_;
};

/// The value below which the part `q` (0 .. 1) of `values` lies, between neighbours linearly. Reorders them.
double quantile(std::vector<float>& values, double q);

/// How this model's predictions differ from the reference's, token by token. KL divergences in nats.
struct DivergenceResult {
  std::string reference_model;
  double reference_nll = 0;
  double kl = 0;  // mean of KL(reference || model)
  std::optional<double> kl_error;
  double kl_median = 0, kl_90 = 0, kl_99 = 0, kl_999 = 0, kl_max = 0;
  double same_top = 0;  // part of the tokens for which both find the same token most probable
  std::optional<double> same_top_error;
  double p_rms = 0;           // root of the mean of (p_model - p_reference)^2, p of the token that came
  double nll_difference = 0;  // nll - reference_nll, which is ln(ppl / reference ppl)
  std::optional<double> nll_difference_error;  // of the paired differences
};

/// Tokens of the windows whose place in their window is from .. to; place 0, the first, is never predicted.
struct PerplexityPart {
  int from = 0, to = 0;
  std::uint64_t predicted = 0;  // 0: the text has no window that long, and nll means nothing
  double nll = 0;
  std::optional<double> nll_error;
};

struct PerplexityResult {
  double nll = 0;
  std::optional<double> nll_error;
  std::uint64_t predicted = 0;  // tokens
  std::uint64_t bytes = 0;      // that the predicted tokens stand for; 0 without a tokenizer
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
  int parts = 0;                // also the mean of each of so many equal parts of a window; 0: none
  std::string save;             // write the predictions to this file (logit_reference.hpp)
  std::string reference;        // compare with the predictions in this file
  std::string model_name;       // noted in `save`
  std::function<void(std::uint64_t done, std::uint64_t total)> progress;  // counted tokens; may throw
};

/// Measures `ids`, the whole text. REQUIRES: the engine's context is at least options.ctx - 1. Throws
/// UsageError when the text holds nothing to predict, Error when logits are not finite or a file does not
/// fit.
PerplexityResult measure_perplexity(Engine& engine, std::span<const std::int32_t> ids,
                                    const PerplexityOptions& options);

}  // namespace rung
