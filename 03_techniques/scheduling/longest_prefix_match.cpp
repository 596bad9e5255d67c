// Rung 5: the request of whose prompt the prefix cache holds the largest share goes first (Zheng et al. 2023,
// arXiv 2312.07104, section 3). Requests with a common beginning then run one after the other, while its
// blocks are still in the cache. Requests without cached blocks run in order of arrival. A better match can
// arrive at any time, so waiting counts, too: aging_s seconds are worth a whole prompt.

#include <algorithm>

#include "scheduling.hpp"

namespace rung::scheduling {
namespace {

class LongestPrefixMatch final : public Policy {
 public:
  explicit LongestPrefixMatch(const PolicyConfig& config) : aging_s_(config.aging_s) {}

  bool wants_matches() const override { return true; }

  double rank(const ScheduledSequence& s, double /*now_s*/) const override {
    // A running sequence has its blocks; its share only says how it began, so it is left alone.
    const double known = s.state == SequenceState::waiting ? std::max(s.matched_tokens, 0) : 0;
    return s.arrival_s / aging_s_ - known / std::max(s.prompt_tokens, 1);
  }

 private:
  double aging_s_;
};

}  // namespace

std::unique_ptr<Policy> make_longest_prefix_match(const PolicyConfig& config) {
  return std::make_unique<LongestPrefixMatch>(config);
}

}  // namespace rung::scheduling
