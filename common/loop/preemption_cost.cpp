#include "loop/preemption_cost.hpp"

#include "core/error.hpp"

namespace rung {

PreemptMode preempt_mode(std::string_view name) {
  if (name == "auto") return PreemptMode::automatic;
  if (name == "swap") return PreemptMode::swap;
  if (name == "recompute") return PreemptMode::recompute;
  fail_usage("unknown preemption mode '{}'; choose one of: auto, swap, recompute", name);
}

PreemptionCost::PreemptionCost(PreemptMode mode, double copy_bytes_per_s, double tokens_per_s)
    : mode_(mode), copy_bytes_per_s_(copy_bytes_per_s), tokens_per_s_(tokens_per_s) {}

void PreemptionCost::computed(std::int64_t tokens, double seconds, bool prompts) {
  (prompts ? prompts_ : steps_).add(static_cast<double>(tokens), seconds);
}

double PreemptionCost::swap_s(std::size_t bytes) const {
  if (copy_bytes_per_s_ > 0) return 2 * static_cast<double>(bytes) / copy_bytes_per_s_;
  return copies_.known() ? 2 * static_cast<double>(bytes) / copies_.per_second() : 0;
}

double PreemptionCost::recompute_s(int tokens) const {
  if (tokens_per_s_ > 0) return tokens / tokens_per_s_;
  const RunningRate& rate = prompts_.known() ? prompts_ : steps_;
  return rate.known() ? tokens / rate.per_second() : 0;
}

PreemptReason PreemptionCost::choose(std::size_t bytes, int tokens, std::size_t swap_room,
                                     std::size_t swap_bytes) {
  if (swap_bytes == 0) return PreemptReason::recompute_no_swap;
  if (mode_ == PreemptMode::recompute) return PreemptReason::recompute_asked;
  if (bytes == 0) return PreemptReason::recompute_cheaper;  // it has nothing to lose
  if (bytes > swap_room) return PreemptReason::recompute_swap_full;
  if (mode_ == PreemptMode::swap) return PreemptReason::swap_asked;
  const bool known = copy_bytes_per_s_ > 0 || copies_.known();
  if (!known || declined_ >= kMeasureAgain) {
    declined_ = 0;
    return PreemptReason::swap_unmeasured;
  }
  if (swap_s(bytes) <= recompute_s(tokens)) {
    declined_ = 0;
    return PreemptReason::swap_cheaper;
  }
  if (copy_bytes_per_s_ <= 0) ++declined_;
  return PreemptReason::recompute_cheaper;
}

}  // namespace rung
