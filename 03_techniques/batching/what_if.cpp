// The schedulers on a simulated machine: batching_what_if TRACE SEQUENCES STEP_TOKENS STEP_MS TOKEN_MS
//
// TRACE has lengths in any format that loop/request_trace.hpp reads; all requests arrive at once. A step
// takes STEP_MS to read the weights, and TOKEN_MS for each of its tokens. Both follow from two measurements:
// of one sequence that decodes and of a batch that decodes. At most SEQUENCES run together. For each rung,
// the program prints the figures of simulate() as JSON.

#include <cstdio>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "batching.hpp"
#include "core/numbers.hpp"
#include "core/program_main.hpp"
#include "loop/request_trace.hpp"
#include "loop/simulation.hpp"

namespace rung::batching {
namespace {

template <class Number>
Number number(const char* what, const std::string& text) {
  constexpr Number kLeast = std::is_integral_v<Number> ? Number(1) : Number(1e-9);
  return number_from<Number>(what, text, {kLeast, Number(1'000'000)});
}

int run(int argc, char** argv) {
  if (argc != 6) fail_usage("usage: batching_what_if TRACE SEQUENCES STEP_TOKENS STEP_MS TOKEN_MS");
  std::vector<SimulatedRequest> requests;
  std::int64_t tokens = 0;
  for (const TracedRequest& r : read_request_trace(argv[1]).requests) {
    requests.push_back({.prompt_tokens = r.prompt, .output_tokens = r.output});
    tokens += r.prompt + r.output;
  }
  SimulationConfig config;
  config.limits.max_sequences = number<int>("SEQUENCES", argv[2]);
  config.limits.max_step_tokens = number<int>("STEP_TOKENS", argv[3]);
  config.limits.max_step_outputs = config.limits.max_sequences;
  const double step_s = 1e-3 * number<double>("STEP_MS", argv[4]);
  const double token_s = 1e-3 * number<double>("TOKEN_MS", argv[5]);
  config.kv_tokens = tokens + config.block_size * static_cast<std::int64_t>(requests.size());  // room for all
  config.step_s = [=](const StepPlan& plan) { return step_s + token_s * plan.tokens(); };
  Registry registry;
  register_rungs(registry);
  nlohmann::ordered_json result = {{"requests", requests.size()},
                                   {"sequences", config.limits.max_sequences},
                                   {"step_ms", 1e3 * step_s},
                                   {"token_ms", 1e3 * token_s}};
  for (const RungInfo& rung : registry.ladder<Scheduler>().rungs()) {
    if (rung.exercise) continue;
    const auto scheduler = registry.ladder<Scheduler>().make(rung.name, config.limits);
    const SimulationResult done = simulate(*scheduler, nullptr, requests, config);
    result["rungs"][rung.name] = {{"output_tok_s", done.tokens_per_s()}, {"steps", done.steps}};
  }
  std::printf("%s\n", result.dump(1).c_str());
  return 0;
}

}  // namespace
}  // namespace rung::batching

int main(int argc, char** argv) {
  return rung::run_program("batching_what_if", argc, argv, rung::batching::run);
}
