// A wrong answer: the newest request goes first, and an old one may wait for ever.

#include "scheduling.hpp"

namespace rung::scheduling {
namespace {

class Newest final : public Policy {
 public:
  double rank(const ScheduledSequence& s, double /*now_s*/) const override { return -s.arrival_s; }
};

}  // namespace

std::unique_ptr<Policy> make_mine(const PolicyConfig& /*config*/) { return std::make_unique<Newest>(); }

}  // namespace rung::scheduling
