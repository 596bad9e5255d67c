// Conversations: every turn sends all that was said before, and a little more.
//
//   turn 1   [instructions][question 1]
//   turn 2   [instructions][question 1][answer 1][question 2]
//   turn 3   ...
//
// A turn is sent when the answer before it is there and its reader has thought for a while (exponential). So
// a slow server gets fewer requests: the load is closed, unlike that of the other rungs.

#include <cmath>

#include "workloads.hpp"

namespace rung::workloads {
namespace {

class Chat final : public WorkloadMaker {
 public:
  explicit Chat(const WorkloadConfig& config) : config_(config) {}

  Workload make() override {
    Rng rng(config_.seed);
    Workload workload;
    auto& all = workload.requests;
    for (int conversation = 0; static_cast<int>(all.size()) < config_.requests; ++conversation) {
      for (int turn = 0; turn < config_.turns && static_cast<int>(all.size()) < config_.requests; ++turn) {
        WorkloadRequest request;
        if (turn == 0 && config_.shared_prefix > 0) request.prompt.push_back({0, config_.shared_prefix});
        request.prompt.push_back({all.size() + 1, config_.prompt.draw(rng)});
        request.output = config_.output.draw(rng);
        request.user = conversation % config_.users;
        if (turn > 0) {
          request.after = static_cast<int>(all.size()) - 1;
          request.think_s = -std::log(1 - rng.uniform()) * config_.think_s;
        }
        all.push_back(std::move(request));
      }
    }
    return workload;
  }

 private:
  WorkloadConfig config_;
};

}  // namespace

std::unique_ptr<WorkloadMaker> make_chat(const WorkloadConfig& config) {
  return std::make_unique<Chat>(config);
}

}  // namespace rung::workloads
