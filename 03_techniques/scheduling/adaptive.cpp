// Rung 6: fifo while there is room, shortest_first when the queue grows. With a short queue the order hardly
// matters and fifo surprises nobody. With a long one it decides how long most people wait. The load is what a
// queue shows: requests without a first token, against those that have one. With a single threshold, the
// order would change with every arrival, so there are two. A request that has waited aging_s goes before all
// others, in order of arrival. Therefore a long request gets its turn while the rush lasts.

#include <algorithm>
#include <set>

#include "scheduling.hpp"

namespace rung::scheduling {
namespace {

class Adaptive final : public Policy {
 public:
  explicit Adaptive(const PolicyConfig& config)
      : aging_s_(config.aging_s), fifo_(make_fifo(config)), shortest_(make_shortest_first(config)) {}

  double rank(const ScheduledSequence& s, double now_s) const override {
    if (!busy_) return fifo_->rank(s, now_s);
    if (now_s - s.arrival_s >= aging_s_) return s.arrival_s - kOverdue;
    return shortest_->rank(s, now_s);
  }

  void arrived(const ScheduledSequence& s) override {
    shortest_->arrived(s);
    waiting_.insert(s.id);
    observe();
  }
  void computed(const ScheduledSequence& s, int tokens, bool sampled) override {
    shortest_->computed(s, tokens, sampled);
    if (sampled && waiting_.erase(s.id) > 0) {
      ++served_;
      observe();
    }
  }
  void finished(const ScheduledSequence& s) override {
    shortest_->finished(s);
    if (waiting_.erase(s.id) == 0) --served_;  // else it was cancelled while it waited
    observe();
  }

 private:
  static constexpr double kBusy = 2, kQuiet = 1;  // requests that wait, per request that is served
  static constexpr double kOverdue = 1e12;        // before every rank of shortest_first

  void observe() {
    const double load = static_cast<double>(waiting_.size()) / std::max(served_, 1);
    busy_ = busy_ ? load > kQuiet : load > kBusy;
  }

  double aging_s_;
  std::unique_ptr<Policy> fifo_, shortest_;
  std::set<int> waiting_;  // ids of requests without a first token
  int served_ = 0;         // requests with one
  bool busy_ = false;
};

}  // namespace

std::unique_ptr<Policy> make_adaptive(const PolicyConfig& config) {
  return std::make_unique<Adaptive>(config);
}

}  // namespace rung::scheduling
