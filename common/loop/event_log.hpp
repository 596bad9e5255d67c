#pragma once
// What happened to every request, event by event: for `rung explain`, for a trace (trace.hpp), and for
// finding out why an answer was slow.
//
// A ring: its memory is taken once, the newest events stay, and dropped() says how many older ones are gone.
// With a capacity of 0 nothing is recorded; what remains is one comparison per event.
//
// Thread safety: none; the thread that drives the engine writes.

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/clock.hpp"

namespace rung {

//            | tokens                     | context                        | related, the id of a request
enum class EventKind : std::uint8_t {
  queued,      // of the prompt              | requests that waited before it |
  admitted,    // found in the cache         | its length                     |
  forked,      // shared with `related`      | its length                     | whose text it continues
  swapped_in,  // came back from host memory | its length                     |
  chunk,       // computed                   | in the cache after it          |
  token,       // its id                     | generated so far, with it      |
  preempted,   // lost or copied             | its length                     | for which there was no room
  finished,    // generated                  | its length                     |
  schedule,    // rows that were planned     | sequences in the step          |
  forward,     // rows                       | sequences in the step          |
  step,        // rows                       | sequences in the step          |
};
std::string_view event_kind_name(EventKind kind);

/// What became of a preempted sequence's keys and values, and why.
enum class PreemptReason : std::uint8_t {
  recompute_no_swap,    // there is no host memory for them
  recompute_swap_full,  // there is, and it was full
  recompute_asked,
  recompute_cheaper,
  swap_asked,
  swap_cheaper,
  swap_unmeasured,  // nothing was copied yet: this copy is the measurement
};
std::string_view preempt_reason_name(PreemptReason reason);
inline bool is_swap(PreemptReason reason) { return reason >= PreemptReason::swap_asked; }

struct Event {
  EventKind kind = EventKind::step;
  std::uint8_t reason = 0;  // of preempted: a PreemptReason; of finished: a FinishReason
  bool prefill = false;     // of chunk: prompt tokens, or tokens that are computed again
  int sequence = -1;        // -1: the event is of a whole step
  std::int64_t step = 0;    // number of the step, from 1; between steps, of the one before
  double at_s = -1;         // when it began, on the engine's clock
  double seconds = 0;       // how long it took
  int tokens = 0, context = 0;
  int related = -1;  // see EventKind; -1: none
};

class EventLog {
 public:
  /// `clock` outlives the log. `capacity`: events that are kept; 0: none are recorded.
  EventLog(const Clock& clock, std::size_t capacity) : clock_(clock), capacity_(capacity) {
    events_.reserve(capacity);
  }

  bool on() const { return capacity_ > 0; }
  /// Seconds on the engine's clock; 0 when nothing is recorded.
  double now() const { return on() ? clock_.seconds() : 0; }
  void at_step(std::int64_t step) { step_ = step; }

  /// Records an event of the present step; one without a time gets the present one.
  void add(Event event) {
    if (on()) keep(event);
  }

  /// What is kept, in the order in which it was recorded.
  std::vector<Event> events() const;
  /// Older events that made room for these.
  std::int64_t dropped() const { return dropped_; }

 private:
  void keep(Event event);

  const Clock& clock_;
  std::size_t capacity_, next_ = 0;  // next_: where the oldest event is once the ring is full
  std::int64_t step_ = 0, dropped_ = 0;
  std::vector<Event> events_;
};

}  // namespace rung
