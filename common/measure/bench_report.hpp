#pragma once
// The figures of `rung bench`: tokens per second of prefill and decode, and their share of the machine's
// limits.

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "engine/engine.hpp"
#include "measure/limits.hpp"
#include "measure/report_json.hpp"

namespace rung {

/// One test. It computes a prompt of `prompt` tokens per sequence or, if `prompt` is 0, `steps` decode steps,
/// the first of which attends to `context` tokens.
struct BenchTest {
  int batch = 1;  // sequences
  int prompt = 0;
  int steps = 0;
  int context = 1;  // at least 1

  bool decode() const { return prompt == 0; }
  /// Tokens that the whole batch computes.
  double tokens() const { return static_cast<double>(batch) * (decode() ? steps : prompt); }
  /// "pp512" or "tg128", as in llama-bench. A context that is longer than one token follows: "tg128 @ 1024".
  std::string name() const;
};

/// The least number of bytes and operations that a test needs over all its steps. Weights are read once per
/// step; in a mixture of experts, only the weights of the chosen experts are read. Keys and values are read
/// once per query chunk. There are two flops per weight and token, and two per cached number and query head.
struct BenchWork {
  double bytes = 0;
  double product_flops = 0;    // flops of the linear layers
  double attention_flops = 0;  // flops of attention, which are always in float32
};
BenchWork bench_work(const Model& model, const EngineConfig& config, const BenchTest& test);

struct BenchRow {
  BenchTest test;
  double tok_s = 0, tok_s_min = 0, tok_s_max = 0;  // median, slowest and fastest repetition
  double bytes_per_s = 0, flops_per_s = 0;         // rates of the median repetition
  NearestLimit nearest;                            // limit of the machine that bounds this test
  FusedSteps fused;
  std::map<std::string, std::string> rungs;  // by seam
  double parallel_regions = 0;               // fork-joins per step
  double other_load = 0;                     // number of processors that other programs used meanwhile
};

/// One run of a test.
struct BenchRepetition {
  double seconds = 0;
  std::int64_t steps = 0;             // forward passes
  std::int64_t parallel_regions = 0;  // fork-joins in them
};
/// Runs a test once, with random prompts that `seed` chooses. The timed part is the work of bench_work().
/// Calls `poll`, which may throw, before each step. REQUIRES: the engine has no requests, and its context and
/// its number of sequences are large enough.
BenchRepetition run_bench_test(Engine& engine, const BenchTest& test, std::uint64_t seed,
                               const std::function<void()>& poll);

/// Reports the repetitions of one test on `engine`. Repetition i took seconds[i], and limits[i] are the
/// machine's limits when it began. REQUIRES: both spans have the same size, at least 1.
BenchRow bench_row(const Engine& engine, const BenchTest& test, std::span<const MachineLimits> limits,
                   std::span<const double> seconds);

/// Returns the bytes of the keys and values of one token in all layers, in this number format.
double kv_bytes_per_token(const ModelConfig& model, DType type);

/// One element of the JSON of `rung bench --json`.
Json to_json(const BenchRow& row);

}  // namespace rung
