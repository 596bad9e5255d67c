// Your rung: who comes first. The lesson beside this file says which test judges it.
//
// The idea:
//   1. rank() gives a number per sequence; the smallest is served first
//   2. short requests before long ones lower the mean latency; max_tokens and what finished() told you are
//   all you know
//   3. but a rank that never falls while a request waits lets it starve

#include "core/error.hpp"
#include "vllm.hpp"

namespace rung::vllm {

std::unique_ptr<Policy> make_mine([[maybe_unused]] const PolicyConfig& config) {
  throw NotStarted("policy rung 'mine' is not started: write 02_engines/vllm/mine.cpp");
}

}  // namespace rung::vllm
