#pragma once
// The figures of `rung generate`: what was generated, how fast, and with how much memory.

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/process_memory.hpp"
#include "engine/engine.hpp"
#include "measure/report_json.hpp"
#include "seams/request.hpp"

namespace rung {

struct GenerateTimings {
  double load_s = 0;         // reading the model and building the engine
  double ttft_s = 0;         // from submission to the first token
  double prefill_tok_s = 0;  // prompt tokens per second until the first token
  double decode_tok_s = 0;   // tokens per second after the first one; 0 if there is only one
};

/// Memory use in bytes.
struct GenerateMemory {
  EngineMemory engine;
  std::string kv_type;             // number format of the keys and values: "f16"
  std::size_t peak_rss_bytes = 0;  // largest resident set of this process so far
  ProcessMemory resident;          // after the generation
};

/// One of several samples of the same prompt.
struct GeneratedSample {
  std::string text;
  std::vector<std::int32_t> token_ids;
  FinishReason finish_reason = FinishReason::none;
  std::uint64_t seed = 0;
};

struct TokenReport {
  std::int32_t id = 0;
  std::string piece;  // the bytes that the token stands for, which may be an incomplete character
  float logprob = 0;
};
/// A sampled token and the most probable ones in its place.
struct SampledTokenReport {
  TokenReport sampled;
  std::vector<TokenReport> top;
};

/// The report of one request. Text, tokens, times and log-probabilities are those of the first sample.
struct GenerateReport {
  std::string text;
  std::vector<std::int32_t> token_ids;
  int prompt_tokens = 0;
  FinishReason finish_reason = FinishReason::none;
  GenerateTimings timings;
  GenerateMemory memory;
  std::map<std::string, std::string> rungs;  // by seam
  std::uint64_t seed = 0;
  std::vector<GeneratedSample> samples;  // all samples; empty if only one was asked for
  std::int64_t forked_tokens = 0;        // prompt tokens that samples shared instead of computing them
  std::optional<std::vector<SampledTokenReport>> logprobs;  // one per token, if asked for
};

/// Reports the finished samples of one request. `load_s` is how many seconds it took to load the model and to
/// build the engine. REQUIRES: `results` has at least one result and is in the order of the samples.
GenerateReport generate_report(const Engine& engine, std::span<const Result> results,
                               const SamplingParams& sampling, double load_s);

/// The JSON of `rung generate --json`.
Json to_json(const GenerateReport& report);

}  // namespace rung
