// Rung 4: whose next token is due first (earliest deadline first: Liu and Layland 1973). The first token is
// due ttft_target after the request came, each further one tpot_target later. Requests that were promised
// more go before those that can wait. A deadline that has passed for good is no reason to make the others
// late too: such requests come after those that can still be kept.

#include "scheduling.hpp"

namespace rung::scheduling {
namespace {

class Deadline final : public Policy {
 public:
  explicit Deadline(const PolicyConfig& config) : config_(config) {}

  double rank(const ScheduledSequence& s, double now_s) const override {
    const double ttft = s.ttft_target_s > 0 ? s.ttft_target_s : config_.ttft_target_s;
    const double tpot = s.tpot_target_s > 0 ? s.tpot_target_s : config_.tpot_target_s;
    const double due = s.arrival_s + ttft + tpot * s.output_tokens;
    return due >= now_s ? due : due + kLost;
  }

 private:
  static constexpr double kLost = 1e6;  // seconds: behind every deadline that lies ahead
  PolicyConfig config_;
};

}  // namespace

std::unique_ptr<Policy> make_deadline(const PolicyConfig& config) {
  return std::make_unique<Deadline>(config);
}

}  // namespace rung::scheduling
