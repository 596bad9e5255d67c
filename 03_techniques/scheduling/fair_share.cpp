// Rung 3: the user who was served least goes first (virtual token counters: Sheng et al. 2024, arXiv
// 2401.00588). Every token read or generated is charged to its user. Who floods the server runs up a bill and
// comes after everybody else; who comes back after a pause starts at the smallest bill of those present, not
// at his old one, or he could save up for a flood.

#include <algorithm>
#include <limits>
#include <map>

#include "scheduling.hpp"

namespace rung::scheduling {
namespace {

class FairShare final : public Policy {
 public:
  explicit FairShare(const PolicyConfig& config) : config_(config) {}

  double rank(const ScheduledSequence& s, double /*now_s*/) const override {
    return users_.at(s.user).served;
  }

  void arrived(const ScheduledSequence& s) override {
    User& user = users_[s.user];
    if (user.requests++ > 0) return;
    double least = std::numeric_limits<double>::infinity();
    for (const auto& [id, other] : users_) {
      if (id != s.user && other.requests > 0) least = std::min(least, other.served);
    }
    if (least < std::numeric_limits<double>::infinity()) user.served = std::max(user.served, least);
  }
  void computed(const ScheduledSequence& s, int tokens, bool sampled) override {
    // In decode the token that is read was generated, and paid for, before.
    const int read = sampled && tokens == 1 ? 0 : tokens;
    users_.at(s.user).served += read * config_.input_cost + (sampled ? config_.output_cost : 0);
  }
  void finished(const ScheduledSequence& s) override { --users_.at(s.user).requests; }

 private:
  struct User {
    double served = 0;
    int requests = 0;  // waiting or running
  };
  PolicyConfig config_;
  std::map<int, User> users_;
};

}  // namespace

std::unique_ptr<Policy> make_fair_share(const PolicyConfig& config) {
  return std::make_unique<FairShare>(config);
}

}  // namespace rung::scheduling
