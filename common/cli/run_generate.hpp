#pragma once
// One generation, timed: what `rung generate` does and `rung demo` does twice.

#include "cli/cli.hpp"

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

/// Loads the model, generates, and returns the JSON of `rung generate --json`. `on_delta` hears the text as
/// it comes.
Json run_generate(const GenerateOptions& options, const std::string& prompt, const OnDelta& on_delta);

}  // namespace rung::cli
