// Rung 1: urgent requests first. With priorities alone a steady stream of urgent ones would keep the others
// out for ever, so waiting counts as well: every ageing_s seconds are worth one step.

#include "scheduling.hpp"

namespace rung::scheduling {
namespace {

class Priority final : public Policy {
 public:
  explicit Priority(const PolicyConfig& config) : ageing_s_(config.ageing_s) {}
  // -(priority + (now - arrival) / ageing), without what is the same for all.
  double rank(const ScheduledSequence& s, double /*now_s*/) const override {
    return s.arrival_s / ageing_s_ - s.priority;
  }

 private:
  double ageing_s_;
};

}  // namespace

std::unique_ptr<Policy> make_priority(const PolicyConfig& config) {
  return std::make_unique<Priority>(config);
}

}  // namespace rung::scheduling
