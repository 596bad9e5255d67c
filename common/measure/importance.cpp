#include "measure/importance.hpp"

#include <algorithm>
#include <cmath>

#include "catalog/variants.hpp"
#include "engine/engine.hpp"
#include "files/gguf.hpp"
#include "measure/perplexity.hpp"
#include "seams/linear.hpp"

namespace rung {
namespace {

/// Sums over the rows of x that one matrix has met.
struct Squares {
  std::vector<double> sums;  // [cols]
  std::uint64_t rows = 0;
};

class Recorder final : public Linear {
 public:
  Recorder(std::unique_ptr<Linear> usual, Squares& squares) : usual_(std::move(usual)), squares_(squares) {}

  void apply(const Tensor& x, const Tensor& y) override {
    squares_.sums.resize(static_cast<std::size_t>(x.cols));
    for (std::int64_t t = 0; t < x.rows; ++t) {
      const float* row = x.ptr<float>(t);
      for (std::size_t c = 0; c < squares_.sums.size(); ++c) {
        squares_.sums[c] += static_cast<double>(row[c]) * static_cast<double>(row[c]);
      }
    }
    squares_.rows += static_cast<std::uint64_t>(x.rows);
    usual_->apply(x, y);
  }

 private:
  std::unique_ptr<Linear> usual_;
  Squares& squares_;
};

/// Opens each file once, so that the tensors of the file and the weights of the model lie at the same
/// addresses.
FileOpener opened_once() {
  const auto files = std::make_shared<std::map<std::string, std::shared_ptr<const FileBytes>>>();
  return [files, open = map_files()](const std::string& path) {
    auto& file = (*files)[path];
    if (!file) file = open(path);
    return file;
  };
}

/// The records of all matrices of a file, found by where a weight lies.
class Records {
 public:
  explicit Records(const Gguf& gguf) {
    for (const GgufTensor& tensor : gguf.tensors()) {
      const std::int64_t slices = tensor.dims.size() > 2 ? tensor.view.rows / tensor.dims[1] : 1;
      records_[static_cast<const std::byte*>(tensor.view.data)] = {
          &tensor, std::vector<Squares>(static_cast<std::size_t>(slices))};
    }
  }

  Squares& of(const Tensor& weight) {
    const auto* address = static_cast<const std::byte*>(weight.data);
    auto record = records_.upper_bound(address);
    if (record != records_.begin()) {
      auto& [begin, found] = *--record;
      const auto offset = static_cast<std::size_t>(address - begin);
      const std::size_t bytes = found.tensor->view.bytes();
      if (offset < bytes) return found.slices[offset / (bytes / found.slices.size())];
    }
    return elsewhere_;  // a weight that was converted when the model was loaded: nobody will ask for it
  }

  void write_to(Importance& importance) const {
    for (const auto& [begin, record] : records_) {
      const auto cols = static_cast<std::size_t>(record.tensor->view.cols);
      std::vector<float> means(cols * record.slices.size(), 0.0f);
      std::uint64_t rows = 0;
      for (std::size_t s = 0; s < record.slices.size(); ++s) {
        const Squares& squares = record.slices[s];
        rows += squares.rows;
        if (squares.rows == 0) continue;  // an expert that no token was sent to
        for (std::size_t c = 0; c < squares.sums.size(); ++c) {
          const double mean = squares.sums[c] / static_cast<double>(squares.rows);
          if (!std::isfinite(mean)) {
            fail("the inputs of '{}' are not finite on this text: the model's weights may be damaged",
                 record.tensor->name);
          }
          means[s * cols + c] = static_cast<float>(mean);
        }
      }
      if (rows > 0) importance.mean_squares[record.tensor->name] = std::move(means);
    }
  }

 private:
  struct Record {
    const GgufTensor* tensor = nullptr;
    std::vector<Squares> slices;
  };
  std::map<const std::byte*, Record> records_;
  Squares elsewhere_;
};

}  // namespace

Importance measure_importance(const std::string& path, const std::string& text,
                              const ImportanceOptions& options) {
  const FileOpener opener = opened_once();
  const auto gguf = Gguf::open(path, opener);
  LoadOptions loading;
  loading.files = opener;
  const auto model = std::make_shared<const Model>(load_model(path, loading));
  const std::vector<std::int32_t> ids = model->tokenizer->encode(text, true);
  const int ctx = std::min(options.ctx, model->config.context_length);
  const auto windows = perplexity_windows(ids.size(), ctx, ctx, options.max_windows);
  if (windows.empty()) fail_usage("the calibration text has {} tokens; give at least two", ids.size());

  Records records(*gguf);
  const Registry registry = make_variants();
  EngineConfig config = exact_config();
  config.threads = options.threads;
  config.context = ctx;
  config.max_step_outputs = std::min(ctx, 128);
  config.decorate = [&](std::unique_ptr<Linear> usual, const LinearSite& site) {
    return std::make_unique<Recorder>(std::move(usual), records.of(site.weight));
  };
  Engine engine(model, registry, config);
  Importance importance;
  for (const PerplexityWindow& window : windows) {
    engine.logits(std::span(ids).subspan(window.begin, window.end - window.begin), [](const Tensor&) {});
    importance.tokens += window.end - window.begin;
    ++importance.windows;
    if (options.progress) options.progress(importance.windows, windows.size());
  }
  records.write_to(importance);
  return importance;
}

}  // namespace rung
