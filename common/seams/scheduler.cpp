// The names of the states of a sequence.

#include "seams/scheduler.hpp"

namespace rung {

std::string_view state_name(SequenceState state) {
  switch (state) {
    case SequenceState::waiting:
      return "waiting";
    case SequenceState::running:
      return "running";
    case SequenceState::preempted:
      return "preempted";
    case SequenceState::finished:
      break;
  }
  return "finished";
}

}  // namespace rung
