// Rung 1: urgent requests first. With priorities alone a steady stream of urgent ones would keep the others
// out for ever, so waiting counts as well: every aging_s seconds are worth one step.

#include "scheduling.hpp"

namespace rung::scheduling {
namespace {

class Priority final : public Policy {
 public:
  explicit Priority(const PolicyConfig& config) : aging_s_(config.aging_s) {}
  // -(priority + (now - arrival) / aging), without what is the same for all.
  double rank(const ScheduledSequence& s, double /*now_s*/) const override {
    return s.arrival_s / aging_s_ - s.priority;
  }

 private:
  double aging_s_;
};

}  // namespace

std::unique_ptr<Policy> make_priority(const PolicyConfig& config) {
  return std::make_unique<Priority>(config);
}

}  // namespace rung::scheduling
