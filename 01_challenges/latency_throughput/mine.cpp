// Your rung. The lesson beside this file says what it should do and which test judges it.
//
// The idea: a step is three things, and each takes the longer of reading and computing.
//   1. the layers' weights: layer_bytes() of them are read, and every row costs 2 flops for each of
//      model.layer_weights
//   2. the output matrix, for the rows whose logits are wanted; nothing when nobody wants any
//   3. attention, for each sequence and each of model.attention: keys_read() tokens, pairs() of query and key
// products is 1 + 2, attention is 3.

#include "latency_throughput.hpp"

namespace rung::latency_throughput {

StepSeconds mine([[maybe_unused]] const StepCostConfig& config,
                 [[maybe_unused]] std::span<const StepSequence> batch) {
  throw NotStarted("step_cost rung 'mine' is not started: write 01_challenges/latency_throughput/mine.cpp");
}

}  // namespace rung::latency_throughput
