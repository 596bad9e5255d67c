// Rung 0: first come, first served. Nobody starves, and a short question behind a long one waits for it.

#include "scheduling.hpp"

namespace rung::scheduling {
namespace {

class Fifo final : public Policy {
 public:
  double rank(const ScheduledSequence& s, double /*now_s*/) const override { return s.arrival_s; }
};

}  // namespace

std::unique_ptr<Policy> make_fifo(const PolicyConfig& /*config*/) { return std::make_unique<Fifo>(); }

}  // namespace rung::scheduling
