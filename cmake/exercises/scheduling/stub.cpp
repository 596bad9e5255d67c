// Your rung: who comes first. The lesson beside this file says which test judges it.
//
// The idea:
//   1. rank() gives a number per sequence; the smallest is served first
//   2. short requests before long ones lower the mean latency; max_tokens and what finished() told you are
//   all you know
//   3. but a rank that never falls while a request waits lets it starve

#include "core/error.hpp"
#include "scheduling.hpp"

namespace rung::scheduling {

std::unique_ptr<Policy> make_mine([[maybe_unused]] const PolicyConfig& config) {
  throw NotStarted("policy rung 'mine' is not started: write 03_techniques/scheduling/mine.cpp");
}

}  // namespace rung::scheduling
