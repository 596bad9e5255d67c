#pragma once
// One timed generation: `rung generate` runs one, and `rung demo` runs two.

#include "cli/cli.hpp"
#include "measure/generate_report.hpp"

namespace rung::cli {

struct GenerateOptions {
  RunOptions run;
  SamplingParams sampling;
  int max_tokens = 128;
  int samples = 1;
  std::vector<std::string> stop;
  std::vector<std::int32_t> stop_ids;
  bool ignore_end = false;
  bool no_bos = false;
};

/// Loads the model and generates. Ctrl-C cancels the generation. `on_delta` receives the deltas of the first
/// sample as they are generated. Throws UsageError for options that the model does not allow.
GenerateReport run_generate(const GenerateOptions& options, const std::string& prompt,
                            const OnDelta& on_delta);

}  // namespace rung::cli
