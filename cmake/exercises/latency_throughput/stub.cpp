// Your prediction of how long a step of the engine takes. The lesson beside this file explains it. The
// exercise has three steps, one function each. Judge with
//
//   rung exercises latency_throughput          builds this file and judges all steps
//   rung exercises latency_throughput --hint   shows one hint for the step that does not pass yet
//
// common/seams/step_cost.hpp has the fields of the model, the limits, and the sequences of a batch. The batch
// has at least one sequence. Each part of a step takes the longer of reading and computing:
//   seconds = max(bytes / bytes per second, flops / flops per second)
// config.limits has the three rates: read_bytes_per_s, product_flops_per_s and attention_flops_per_s.

#include <algorithm>

#include "latency_throughput.hpp"

namespace rung::latency_throughput {
namespace {

[[noreturn, maybe_unused]] void not_started(const char* function) {
  throw NotStarted(
      fmt::format("{} is not started: write it in 01_challenges/latency_throughput/mine.cpp", function));
}

}  // namespace

// Step 1. Returns the seconds of the products with the weights: those of the layers plus those of the output
// matrix. latency_throughput.hpp has step_rows(batch), step_outputs(batch) and layer_bytes(model, rows).
// Test: latency_throughput.mine.1
//   layers          layer_bytes(model, rows) bytes, and 2 * model.layer_weights flops for each of the rows
//   output matrix   model.output_bytes bytes, and 2 * model.output_weights flops for each of the outputs, the
//                   rows whose logits are needed. Without outputs, it takes no time.
double my_products([[maybe_unused]] const StepCostConfig& config,
                   [[maybe_unused]] std::span<const StepSequence> batch) {
  not_started("my_products()");
}

// Step 2. Returns the number of pairs of a new token and a token that it sees. The sequence has the positions
// 0 .. s.context_length - 1, and the last s.query_count of them are new. The token at position p sees itself
// and all tokens before it, which are p + 1 tokens. In a layer with a window (window > 0), it sees at most
// the last `window` of these. pairs() of latency_throughput.hpp does the same as this function; write it
// yourself, in a loop or as a formula. Test: latency_throughput.mine.2
double my_pairs([[maybe_unused]] const StepSequence& s, [[maybe_unused]] int window) {
  not_started("my_pairs()");
}

// Step 3. Returns the seconds of a whole step of the engine. `products` is the result of my_products().
// `attention` is the sum over all sequences s and all entries `layers` of config.model.attention, each of
// which stands for all layers with the same window. Every sequence and entry takes the longer of reading and
// computing for itself. Test: latency_throughput.mine.3
//   reading     layers.kv_bytes bytes for each of the keys_read(s, layers.window) tokens, which
//               latency_throughput.hpp counts
//   computing   layers.flops_per_pair flops for each pair of my_pairs(), at the rate of attention
StepSeconds mine([[maybe_unused]] const StepCostConfig& config,
                 [[maybe_unused]] std::span<const StepSequence> batch) {
  not_started("mine()");
}

}  // namespace rung::latency_throughput
