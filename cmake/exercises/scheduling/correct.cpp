// A correct answer that is not good: in order of arrival every request has its turn, and short ones wait for
// long ones.

#include "scheduling.hpp"

namespace rung::scheduling {
namespace {

class FirstCome final : public Policy {
 public:
  double rank(const ScheduledSequence& s, double /*now_s*/) const override { return s.arrival_s; }
};

}  // namespace

std::unique_ptr<Policy> make_mine(const PolicyConfig& /*config*/) { return std::make_unique<FirstCome>(); }

}  // namespace rung::scheduling
