#include "measure/perplexity.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <numbers>

#include "core/error.hpp"
#include "core/parallel.hpp"
#include "measure/logit_reference.hpp"

namespace rung {
namespace {

/// ln(sum of exp(logits)); NaN when a logit is not finite.
double log_sum_exp(std::span<const float> logits) {
  const double top = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (const float x : logits) sum += std::exp(x - top);
  return std::isfinite(sum) && std::isfinite(top) ? top + std::log(sum) : std::nan("");
}

struct RowScore {
  double log_sum = 0;
  double nll = 0;
  double kl = 0;             // KL(reference || model)
  double reference_nll = 0;  // of the token that came
  bool same_top = false;
};

void compare(const ReferenceRow& reference, std::span<const float> logits, RowScore& score) {
  double kl = 0;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    const double log_p = reference.log_p(i);
    kl += std::exp(log_p) * (log_p - (logits[i] - score.log_sum));
  }
  score.kl = kl;
  score.reference_nll = -reference.target_log_p();
  const auto top = std::max_element(logits.begin(), logits.end()) - logits.begin();
  score.same_top = static_cast<std::uint32_t>(top) == reference.top_id();
}

/// Collects the scores of all rows, in the order of the text within each window.
class Totals {
 public:
  explicit Totals(std::size_t windows)
      : nll_(windows), reference_nll_(windows), difference_(windows), kl_(windows), same_top_(windows) {}

  void add(std::size_t window, const RowScore& score, bool with_reference) {
    nll_.add(window, score.nll);
    if (!with_reference) return;
    reference_nll_.add(window, score.reference_nll);
    difference_.add(window, score.nll - score.reference_nll);
    kl_.add(window, score.kl);
    same_top_.add(window, score.same_top ? 1 : 0);
    const double p = std::exp(-score.nll) - std::exp(-score.reference_nll);
    p_squared_ += p * p;
    kls_.push_back(static_cast<float>(score.kl));
  }

  void into(PerplexityResult& result) const {
    result.nll = nll_.mean();
    result.nll_error = nll_.standard_error();
  }

  DivergenceResult divergence() {
    DivergenceResult d;
    d.reference_nll = reference_nll_.mean();
    d.kl = kl_.mean();
    d.kl_error = kl_.standard_error();
    d.same_top = same_top_.mean();
    d.same_top_error = same_top_.standard_error();
    d.p_rms = std::sqrt(p_squared_ / static_cast<double>(kls_.size()));
    d.nll_difference = difference_.mean();
    d.nll_difference_error = difference_.standard_error();
    d.kl_median = quantile(kls_, 0.5);
    d.kl_90 = quantile(kls_, 0.9);
    d.kl_99 = quantile(kls_, 0.99);
    d.kl_999 = quantile(kls_, 0.999);
    d.kl_max = *std::max_element(kls_.begin(), kls_.end());
    return d;
  }

 private:
  GroupedMean nll_, reference_nll_, difference_, kl_, same_top_;
  double p_squared_ = 0;
  std::vector<float> kls_;  // 4 bytes per token, for the percentiles
};

}  // namespace

std::vector<PerplexityWindow> perplexity_windows(std::size_t tokens, int ctx, int stride,
                                                 std::size_t max_windows) {
  if (ctx < 2) fail_usage("--ctx is {}; a window needs at least 2 tokens, one to predict the other", ctx);
  if (stride < 1 || stride > ctx) {
    fail_usage("--stride is {}; it must be from 1 to --ctx, which is {}, or tokens would be left out", stride,
               ctx);
  }
  std::vector<PerplexityWindow> windows;
  std::size_t counted = 1;  // the first token that is not counted yet; token 0 never is
  for (std::size_t begin = 0; begin < tokens; begin += static_cast<std::size_t>(stride)) {
    const std::size_t end = std::min(begin + static_cast<std::size_t>(ctx), tokens);
    const PerplexityWindow window{begin, end, std::max(counted, begin + 1)};
    if (window.first < window.end) windows.push_back(window);
    counted = end;
    if (end == tokens || (max_windows != 0 && windows.size() == max_windows)) break;
  }
  return windows;
}

double GroupedMean::mean() const {
  double sum = 0, count = 0;
  for (std::size_t i = 0; i < sums_.size(); ++i) {
    sum += sums_[i];
    count += counts_[i];
  }
  return count > 0 ? sum / count : 0;
}

std::optional<double> GroupedMean::standard_error() const {
  const auto groups = static_cast<double>(sums_.size());
  if (groups < 2) return {};
  const double middle = mean();
  double squares = 0, count = 0;
  for (std::size_t i = 0; i < sums_.size(); ++i) {
    const double off = sums_[i] - counts_[i] * middle;
    squares += off * off;
    count += counts_[i];
  }
  return std::sqrt(groups / (groups - 1) * squares) / count;
}

double quantile(std::vector<float>& values, double q) {
  if (values.empty()) return 0;
  const double place = q * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(below);
  std::nth_element(values.begin(), middle, values.end());
  const double low = *middle;
  if (below + 1 == values.size()) return low;
  const double high = *std::min_element(middle + 1, values.end());
  return low + (place - static_cast<double>(below)) * (high - low);
}

double PerplexityResult::ppl() const { return std::exp(nll); }

std::optional<double> PerplexityResult::ppl_error() const {
  return nll_error ? std::optional(ppl() * *nll_error) : std::nullopt;
}

double PerplexityResult::bits_per_byte() const {
  return nll * static_cast<double>(predicted) / std::numbers::ln2 / static_cast<double>(bytes);
}

void fit_to_windows(EngineConfig& config, int ctx, const ModelConfig& model) {
  constexpr int kRowsPerStep = 512;
  constexpr std::int64_t kLogits = std::int64_t{16} << 20;  // 64 MiB of logits at most
  config.context = ctx - 1;
  config.max_sequences = std::clamp(kRowsPerStep / config.context, 1, 64);
  config.max_step_tokens = kRowsPerStep;
  config.max_step_outputs =
      static_cast<int>(std::clamp<std::int64_t>(kLogits / model.vocab_size, 1, kRowsPerStep));
}

PerplexityResult measure_perplexity(Engine& engine, std::span<const std::int32_t> ids,
                                    const PerplexityOptions& options) {
  const int stride = options.stride == 0 ? options.ctx : options.stride;
  const auto windows = perplexity_windows(ids.size(), options.ctx, stride, options.max_windows);
  if (windows.empty()) {
    fail_usage("the text has {} tokens: there is nothing to predict; give a longer one", ids.size());
  }

  const Model& model = engine.model();
  const auto vocab = static_cast<std::size_t>(model.config.vocab_size);
  PerplexityResult result;
  result.windows = windows.size();
  std::vector<LogitsJob> jobs;
  for (const PerplexityWindow& w : windows) {
    jobs.push_back({ids.subspan(w.begin, w.end - w.begin - 1), static_cast<int>(w.first - 1 - w.begin)});
    result.predicted += w.end - w.first;
    for (std::size_t i = w.first; i < w.end; ++i) {
      if (model.tokenizer && ids[i] < model.tokenizer->vocab_size())
        result.bytes += model.tokenizer->piece(ids[i]).size();
    }
  }

  ReferenceHeader header;
  header.vocab = static_cast<std::uint32_t>(vocab);
  header.ctx = static_cast<std::uint32_t>(options.ctx);
  header.stride = static_cast<std::uint32_t>(stride);
  header.windows = windows.size();
  header.predictions = result.predicted;
  header.token_hash = hash_tokens(ids.first(windows.back().end));
  header.model = options.model_name;
  std::unique_ptr<ReferenceReader> reader;
  std::unique_ptr<ReferenceWriter> writer;
  if (!options.reference.empty()) {
    reader = std::make_unique<ReferenceReader>(options.reference);
    reader->require_same_run(header);
  }
  if (!options.save.empty()) writer = std::make_unique<ReferenceWriter>(options.save, header);

  Totals totals(windows.size());
  // Places 1 .. ctx - 1 of a window fall into equal parts; the first is the one at part * (ctx - 1) / parts
  // + 1.
  std::vector<GroupedMean> parts(static_cast<std::size_t>(options.parts), GroupedMean(windows.size()));
  for (int p = 0; p < options.parts; ++p) {
    const auto first_of = [&](int part) {
      return static_cast<int>((std::int64_t{part} * (options.ctx - 1) + options.parts - 1) / options.parts) +
             1;
    };
    result.parts.push_back({first_of(p), first_of(p + 1) - 1, 0, 0, {}});
  }
  std::vector<RowScore> scores;
  std::vector<std::byte> records;
  std::uint64_t done = 0;
  const std::size_t record_bytes = header.record_bytes();
  const auto take_rows = [&](std::size_t window, int position, const Tensor& rows) {
    const auto n = static_cast<std::size_t>(rows.rows);
    const std::size_t first = windows[window].begin + static_cast<std::size_t>(position) + 1;
    scores.assign(n, {});
    if (writer) records.resize(n * record_bytes);
    const std::span<const std::byte> reference = reader ? reader->read(n) : std::span<const std::byte>();
    parallel_for(engine.config().threads, rows.rows, [&](std::int64_t row) {
      const auto i = static_cast<std::size_t>(row);
      const std::span<const float> logits(rows.ptr<const float>(row), vocab);
      const std::int32_t target = ids[first + i];
      RowScore& score = scores[i];
      score.log_sum = log_sum_exp(logits);
      score.nll = score.log_sum - logits[static_cast<std::size_t>(target)];
      if (!std::isfinite(score.nll)) return;  // told below
      if (reader) compare(ReferenceRow(reference.subspan(i * record_bytes, record_bytes)), logits, score);
      if (writer)
        encode_record(logits, score.log_sum, target,
                      std::span(records).subspan(i * record_bytes, record_bytes));
    });
    for (std::size_t i = 0; i < n; ++i) {
      if (!std::isfinite(scores[i].nll)) {
        fail("the logits that predict token {} of the text are not finite; are the model's weights damaged?",
             first + i);
      }
      totals.add(window, scores[i], reader != nullptr);
      if (options.parts > 0) {
        const std::size_t place = first + i - windows[window].begin;
        const std::size_t part = (place - 1) * parts.size() / static_cast<std::size_t>(options.ctx - 1);
        parts[part].add(window, scores[i].nll);
        ++result.parts[part].predicted;
      }
    }
    if (writer) writer->write(records);
    done += n;
    if (options.progress) options.progress(done, result.predicted);
  };
  engine.logits(jobs, take_rows);  // in the order of the text, which the files rely on

  if (writer) writer->finish();
  totals.into(result);
  for (std::size_t p = 0; p < parts.size(); ++p) {
    result.parts[p].nll = parts[p].mean();
    result.parts[p].nll_error = parts[p].standard_error();
  }
  if (reader) {
    result.divergence = totals.divergence();
    result.divergence->reference_model = reader->header().model;
  }
  return result;
}

}  // namespace rung
