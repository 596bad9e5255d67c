// Agents that try several ways at once: every answer is continued by several requests, each with a result of
// its own (a search, a test run) behind the same growing prefix. With two branches and three steps:
//
//   [instructions][task] -> answer 1 --+-- [result a] -> answer 2 --+-- [result c] -> ...
//                                      |                            `-- [result d] -> ...
//                                      `-- [result b] -> answer 3 --+-- ...
//
// Siblings arrive in the same moment, and all but their last tokens are the same.

#include "workloads.hpp"

namespace rung::workloads {
namespace {

class Agents final : public WorkloadMaker {
 public:
  explicit Agents(const WorkloadConfig& config) : config_(config) {}

  Workload make() override {
    Rng rng(config_.seed);
    Workload workload;
    auto& all = workload.requests;
    std::vector<int> step_of;  // of each request in its tree, from 0
    const auto add = [&](int after, int step, int user) {
      WorkloadRequest request;
      if (after < 0 && config_.shared_prefix > 0) request.prompt.push_back({0, config_.shared_prefix});
      request.prompt.push_back({all.size() + 1, config_.prompt.draw(rng)});
      request.output = config_.output.draw(rng);
      request.user = user;
      request.after = after;
      if (after >= 0) request.think_s = config_.think_s;  // of a tool, the same for all siblings
      all.push_back(std::move(request));
      step_of.push_back(step);
    };
    const auto full = [&] { return static_cast<int>(all.size()) >= config_.requests; };
    for (int tree = 0; !full(); ++tree) {
      const std::size_t root = all.size();
      add(-1, 0, tree % config_.users);
      for (std::size_t parent = root; parent < all.size() && !full(); ++parent) {
        if (step_of[parent] + 1 >= config_.turns) break;  // the last step of the tree, as are all behind it
        for (int branch = 0; branch < config_.branches && !full(); ++branch) {
          add(static_cast<int>(parent), step_of[parent] + 1, all[parent].user);
        }
      }
    }
    return workload;
  }

 private:
  WorkloadConfig config_;
};

}  // namespace

std::unique_ptr<WorkloadMaker> make_agents(const WorkloadConfig& config) {
  return std::make_unique<Agents>(config);
}

}  // namespace rung::workloads
