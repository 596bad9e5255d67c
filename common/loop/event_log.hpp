#pragma once
// A log of the events of every request. `rung explain` and traces (trace.hpp) use it, and it helps to find
// out why an answer was slow.
//
// The log is a ring buffer that is allocated once. It keeps the newest events, and dropped() returns how many
// older events were overwritten. With a capacity of 0 nothing is recorded, and each event costs one
// comparison.
//
// Thread safety: none; only the thread that drives the loop writes.

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/clock.hpp"

namespace rung {

// The meaning of the members of Event for each kind of event. `related` is the id of a request.
//
//            | tokens                     | context                        | related
enum class EventKind : std::uint8_t {
  queued,      // in the prompt              | requests that waited before it |
  admitted,    // found in the cache         | its length                     |
  forked,      // shared with `related`      | its length                     | the one that it continues
  swapped_in,  // came back from host memory | its length                     |
  chunk,       // computed                   | in the cache after it          |
  token,       // its id                     | generated so far, with it      |
  preempted,   // lost or copied             | its length                     | the one that had no room
  finished,    // generated                  | its length                     |
  schedule,    // rows that were planned     | sequences in the step          |
  forward,     // rows                       | sequences in the step          |
  step,        // rows                       | sequences in the step          |
};
std::string_view event_kind_name(EventKind kind);

/// Whether a preempted sequence's keys and values were copied or must be recomputed, and the reason.
enum class PreemptReason : std::uint8_t {
  recompute_no_swap,    // there is no host memory for swapping
  recompute_swap_full,  // the host memory for swapping was full
  recompute_asked,      // the configuration demands it
  recompute_cheaper,    // computing again costs less than copying
  swap_asked,           // the configuration demands it
  swap_cheaper,         // copying costs less than computing again
  swap_unmeasured,      // this copy measures the speed of copying
};
std::string_view preempt_reason_name(PreemptReason reason);
inline bool is_swap(PreemptReason reason) { return reason >= PreemptReason::swap_asked; }

struct Event {
  EventKind kind = EventKind::step;
  std::uint8_t reason = 0;  // for `preempted`, a PreemptReason; for `finished`, a FinishReason
  bool prefill = false;     // for `chunk`: it has prompt tokens, or tokens that are computed again
  int sequence = -1;        // -1: the event belongs to a whole step
  std::int64_t step = 0;    // number of the step, counted from 1; between steps, that of the previous step
  double at_s = -1;         // when the event began, on the log's clock
  double seconds = 0;       // how long it took
  int tokens = 0, context = 0;
  int related = -1;  // see EventKind; -1: none
};

class EventLog {
 public:
  /// `clock` outlives the log. `capacity` is how many events are kept; 0: nothing is recorded.
  EventLog(const Clock& clock, std::size_t capacity) : clock_(clock), capacity_(capacity) {
    events_.reserve(capacity);
  }

  bool on() const { return capacity_ > 0; }
  /// Returns the seconds on the log's clock, or 0 if nothing is recorded.
  double now() const { return on() ? clock_.seconds() : 0; }
  void at_step(std::int64_t step) { step_ = step; }

  /// Records an event of the current step. An event without a time gets the current time.
  void add(Event event) {
    if (on()) keep(event);
  }

  /// Returns the events that are kept, in the order in which they were recorded.
  std::vector<Event> events() const;
  /// Returns how many older events were overwritten.
  std::int64_t dropped() const { return dropped_; }

 private:
  void keep(Event event);

  const Clock& clock_;
  std::size_t capacity_, next_ = 0;  // next_: where the oldest event is once the ring is full
  std::int64_t step_ = 0, dropped_ = 0;
  std::vector<Event> events_;
};

}  // namespace rung
