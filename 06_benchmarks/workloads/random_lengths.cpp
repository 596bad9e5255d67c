// Requests that have nothing in common but, where that is asked for, their first tokens: lengths drawn evenly
// from two ranges.

#include "workloads.hpp"

namespace rung::workloads {
namespace {

class RandomLengths final : public WorkloadMaker {
 public:
  explicit RandomLengths(const WorkloadConfig& config) : config_(config) {}

  Workload make() override {
    Rng rng(config_.seed);
    Workload workload;
    for (int i = 0; i < config_.requests; ++i) {
      WorkloadRequest request;
      if (config_.shared_prefix > 0) request.prompt.push_back({0, config_.shared_prefix});
      request.prompt.push_back({static_cast<std::uint64_t>(i) + 1, config_.prompt.draw(rng)});
      request.output = config_.output.draw(rng);
      request.user = i % config_.users;
      workload.requests.push_back(std::move(request));
    }
    return workload;
  }

 private:
  WorkloadConfig config_;
};

}  // namespace

std::unique_ptr<WorkloadMaker> make_random_lengths(const WorkloadConfig& config) {
  return std::make_unique<RandomLengths>(config);
}

}  // namespace rung::workloads
