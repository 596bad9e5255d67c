// Lengths like those of questions to ChatGPT and its answers, without the texts: log-normal.
//
// The means are those of ShareGPT in Kwon et al. 2023 (arXiv 2309.06180), figure 11: 161.31 tokens of prompt,
// 337.99 of output. The paper gives no spread. Ours is that of the Azure conversation trace of 2023, the
// standard deviation of log(tokens): 0.985 for prompts, 0.859 for outputs.

#include <cmath>

#include "workloads.hpp"

namespace rung::workloads {
namespace {

struct LogNormal {
  double mean, sigma;
  double draw(Rng& rng) const {
    return std::exp(std::log(mean) - sigma * sigma / 2 +
                    sigma * rng.normal());  // exp(mu + sigma^2 / 2) is the mean
  }
};

constexpr LogNormal kPrompt{161.31, 0.985}, kOutput{337.99, 0.859};

class ShareGpt final : public WorkloadMaker {
 public:
  explicit ShareGpt(const WorkloadConfig& config) : config_(config) {}

  Workload make() override {
    Rng rng(config_.seed);
    Workload workload;
    const auto scaled = [&](double tokens) {
      return static_cast<int>(std::lround(std::clamp(tokens * config_.length_scale, 1.0, 1e8)));
    };
    while (static_cast<int>(workload.requests.size()) < config_.requests) {
      WorkloadRequest request;
      const int prompt = scaled(kPrompt.draw(rng));
      request.output = scaled(kOutput.draw(rng));
      if (config_.longest > 0 && config_.shared_prefix + prompt + request.output > config_.longest) {
        // The tail is cut by drawing anew, as benchmarks do that filter a data set.
        if (++workload.left_out > 100 * config_.requests) {
          fail_usage("hardly any request has at most {} tokens; use a smaller scale of lengths",
                     config_.longest);
        }
        continue;
      }
      if (config_.shared_prefix > 0) request.prompt.push_back({0, config_.shared_prefix});
      request.prompt.push_back({workload.requests.size() + 1, prompt});
      request.user = static_cast<int>(workload.requests.size()) % config_.users;
      workload.requests.push_back(std::move(request));
    }
    return workload;
  }

 private:
  WorkloadConfig config_;
};

}  // namespace

std::unique_ptr<WorkloadMaker> make_sharegpt(const WorkloadConfig& config) {
  return std::make_unique<ShareGpt>(config);
}

}  // namespace rung::workloads
