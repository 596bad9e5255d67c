// Rung 2: who needs the fewest tokens more goes first, which gives the smallest mean latency there is where
// lengths are known (Smith 1956). Lengths of answers are not; but finished requests tell what prompts of such
// a length led to. So the predictor keeps a mean output per user and class of prompt length (powers of two),
// and falls back to the mean of all. What a request has already generated says that it is at least that long.

#include <algorithm>
#include <bit>
#include <cstdint>
#include <map>

#include "scheduling.hpp"

namespace rung::scheduling {
namespace {

class ShortestFirst final : public Policy {
 public:
  double rank(const ScheduledSequence& s, double /*now_s*/) const override {
    const double output = std::clamp(expected_output(s), s.output_tokens + 1.0,
                                     std::max<double>(s.max_tokens, s.output_tokens + 1.0));
    return s.missing() * kPromptToken + (output - s.output_tokens);
  }

  void finished(const ScheduledSequence& s) override {
    for (Mean* mean : {&means_[key(s)], &all_}) {
      // Of the last kMemory or so requests: what users ask changes.
      mean->count = std::min(mean->count + 1, kMemory);
      mean->value += (s.output_tokens - mean->value) / mean->count;
    }
  }

 private:
  // A prompt's tokens are computed side by side, so each costs a small part of one that is generated.
  static constexpr double kPromptToken = 0.05;
  static constexpr double kMemory = 64;
  struct Mean {
    double value = 0, count = 0;
  };

  static std::pair<int, int> key(const ScheduledSequence& s) {
    return {s.user, static_cast<int>(std::bit_width(static_cast<std::uint32_t>(s.prompt_tokens)))};
  }
  double expected_output(const ScheduledSequence& s) const {
    const auto found = means_.find(key(s));
    if (found != means_.end()) return found->second.value;
    return all_.count > 0 ? all_.value : s.max_tokens;
  }

  std::map<std::pair<int, int>, Mean> means_;
  Mean all_;
};

}  // namespace

std::unique_ptr<Policy> make_shortest_first(const PolicyConfig& /*config*/) {
  return std::make_unique<ShortestFirst>();
}

}  // namespace rung::scheduling
