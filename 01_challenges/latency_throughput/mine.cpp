// Your rung. README.md in this folder says what it must do and which test judges it.
//
// A step has three parts, and each takes the longer of reading and computing:
//   1. The weights of the layers. layer_bytes() bytes are read, and each row costs 2 flops for each of the
//      model.layer_weights.
//   2. The output matrix, for the rows whose logits are needed. It costs nothing if there are none.
//   3. Attention, for each sequence and each entry of model.attention: keys_read() tokens are read, and
//      pairs() pairs of a query and a key are computed.
// `products` is the sum of parts 1 and 2, and `attention` is part 3.

#include "latency_throughput.hpp"

namespace rung::latency_throughput {

StepSeconds mine([[maybe_unused]] const StepCostConfig& config,
                 [[maybe_unused]] std::span<const StepSequence> batch) {
  throw NotStarted("step_cost rung 'mine' is not started: write 01_challenges/latency_throughput/mine.cpp");
}

}  // namespace rung::latency_throughput
