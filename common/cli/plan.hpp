#pragma once
// The two plans of `rung plan`: the memory of a KV cache (plan_kv.cpp) and the time of steps
// (plan_latency.cpp).

#include <optional>
#include <string>
#include <vector>

#include "cli/cli.hpp"
#include "seams/step_cost.hpp"

namespace rung::cli {

struct PlanCommand {
  bool kv = false, latency = false;
  std::string model, shape, type;  // type: of keys and values; empty: the plan's own default
  int context = 0, tokens = 0;
  std::optional<int> batch;
  // --kv
  std::string rung = "auto", budget;
  int block = 16;
  // --latency
  double bandwidth = 0, flops = 0;  // of a machine by its data sheet; 0: measure this one
  int chunk = 512, threads = 0, repeats = 3;
  bool measure = false;
  std::string samples;           // a file with steps that were measured before
  std::vector<std::string> set;  // SEAM=NAME
};

/// What a way to hand out memory takes for the batch.
struct KvMemory {
  std::uint64_t bytes = 0;
  double waste = 0;  // the unused part of it
};

/// The sequences that fit into a budget of memory.
struct KvBudget {
  std::uint64_t bytes = 0, left_after_weights = 0;
  std::uint64_t batch_contiguous = 0, batch_blocks = 0;  // sequences
};

/// The plan of a KV cache, in bytes.
struct KvPlanReport {
  std::string model, architecture, attention, kv_type;
  std::size_t layers = 0;
  std::vector<std::string> formula;  // one line per kind of layer
  int context = 0;                   // tokens that a sequence may reach
  int tokens = 0;                    // tokens that a sequence has
  int batch = 1;                     // sequences
  int block_tokens = 0;
  std::uint64_t bytes_per_token = 0, bytes_per_sequence = 0, bytes_batch = 0;
  std::uint64_t weights_bytes = 0;  // 0: not known
  KvMemory contiguous, blocks;      // `context` tokens reserved per sequence; blocks of block_tokens tokens
  std::vector<KvBudget> budgets;

  /// REQUIRES: weights_bytes > 0.
  double share_of_weights() const {
    return static_cast<double>(bytes_batch) / static_cast<double>(weights_bytes);
  }
};

/// Throws UsageError for options that contradict each other or the model, and Error for a model that cannot
/// be read.
KvPlanReport plan_kv(const PlanCommand& command);
Json to_json(const KvPlanReport& report);
void print(const KvPlanReport& report);

struct PromptLatency {
  int tokens = 0;
  StepSeconds first;  // until the first token, when the engine does nothing else
  StepSeconds next;   // of each decode step after that
};

struct BatchLatency {
  int batch = 1;     // sequences
  StepSeconds step;  // of a decode step
};

struct MeasuredStep {
  StepSample sample;
  double predicted_s = 0;
};

/// The times of a model's steps on this machine or on one that was described.
struct LatencyReport {
  StepModel model;
  StepLimits limits;
  std::string limits_from;                 // "given", "measured here", "given and measured here"
  std::string step_cost, linear, kv_type;  // rungs, and the number format of keys and values
  int chunk = 0;                           // most tokens of one step
  std::vector<PromptLatency> prompts;
  int context = 0;  // tokens of each sequence of a batch
  std::vector<BatchLatency> batches;
  std::optional<double> knee;         // see knee() in plan_latency.cpp
  std::vector<MeasuredStep> samples;  // empty unless steps were measured
};

/// Throws like plan_kv().
LatencyReport plan_latency(const PlanCommand& command);
Json to_json(const LatencyReport& report);
void print(const LatencyReport& report);

}  // namespace rung::cli
