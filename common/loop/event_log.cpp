#include "loop/event_log.hpp"

namespace rung {

std::string_view event_kind_name(EventKind kind) {
  constexpr std::string_view kNames[] = {"queued",    "admitted", "forked",   "swapped_in", "chunk", "token",
                                         "preempted", "finished", "schedule", "forward",    "step"};
  return kNames[static_cast<std::size_t>(kind)];
}

std::string_view preempt_reason_name(PreemptReason reason) {
  constexpr std::string_view kNames[] = {"recompute: no host memory",
                                         "recompute: host memory is full",
                                         "recompute: as asked",
                                         "recompute: cheaper",
                                         "swap: as asked",
                                         "swap: cheaper",
                                         "swap: to measure it"};
  return kNames[static_cast<std::size_t>(reason)];
}

void EventLog::keep(Event event) {
  event.step = step_;
  if (event.at_s < 0) event.at_s = clock_.seconds();
  if (events_.size() < capacity_) {
    events_.push_back(event);
    return;
  }
  events_[next_] = event;
  next_ = (next_ + 1) % capacity_;
  ++dropped_;
}

std::vector<Event> EventLog::events() const {
  std::vector<Event> list(events_.begin() + static_cast<std::ptrdiff_t>(next_), events_.end());
  list.insert(list.end(), events_.begin(), events_.begin() + static_cast<std::ptrdiff_t>(next_));
  return list;
}

}  // namespace rung
