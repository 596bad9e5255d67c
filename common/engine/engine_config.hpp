#pragma once
// Everything that is chosen when an engine is built: sizes, threads, and which rung of each seam.

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "core/dtype.hpp"
#include "core/registry.hpp"
#include "loop/preemption_cost.hpp"
#include "seams/linear.hpp"
#include "seams/prefix_cache.hpp"
#include "seams/speculator.hpp"

namespace rung {

struct EngineConfig {
  int threads = 0;               // 0: all processors of this machine
  int context = 0;               // tokens per sequence; 0: what the model was trained for, at most 4096
  int max_sequences = 1;         // sequences that run at the same time
  int max_step_tokens = 512;     // most rows of one forward pass: longer prompts are cut into chunks
  double batch_window_s = 0.01;  // how long a batch may wait to fill, for schedulers that wait
  // Most rows of logits of one forward pass; 0: one for each of max_sequences, and one for each of its
  // guesses.
  int max_step_outputs = 0;
  std::string device = "cpu";
  DType kv_type = DType::f16;         // of the keys and values in the cache
  int kv_block_size = 16;             // tokens per block of the cache, where its rung pages
  std::size_t kv_budget = 0;          // bytes of the cache; 0: what max_sequences of context need
  Eviction eviction = Eviction::lru;  // of the prefix cache
  /// Texts may outgrow the context: so many of their first tokens stay, and the latest ones
  /// (sliding_window.hpp); -1: they end there.
  int sinks = -1;
  int max_waiting = 0;         // requests that may wait for a place; submit() refuses more. 0: any number
  std::size_t swap_bytes = 0;  // host memory for who is preempted; 0: computed again
  PreemptMode preempt = PreemptMode::automatic;  // which of the two, where there is such memory
  double copy_bytes_per_s = 0;                   // what decides between them: see PreemptionCost.
  double recompute_tokens_per_s = 0;             // 0: measured
  std::size_t event_log = 0;  // events that are kept for events(), 56 bytes each; 0: none is recorded
  bool cache_packed = false;  // keep copies of weights in another layout in a file beside the model
  double copy_budget = 0;     // bytes that such copies may take in memory; 0: what is free
  std::shared_ptr<Speculator> speculator;  // guesses tokens behind texts that are decoded; null: nobody does
  LinearDecorator decorate;  // wraps the product of each weight (seams/linear_config.hpp); may be empty
  std::function<void(const std::string&)> notice;  // hears sentences that are no errors; may be empty
  std::map<std::string, std::string> rungs;        // seam -> rung; a seam that is not named is `auto`

  const std::string& rung(std::string_view seam) const {
    static const std::string automatic(kAuto);
    const auto found = rungs.find(std::string(seam));
    return found == rungs.end() ? automatic : found->second;
  }
};

/// Nothing is rounded for speed: float32 arithmetic, and keys and values as they were computed. The text of
/// the naive rungs, from the fastest that compute it.
inline EngineConfig exact_config() {
  EngineConfig config;
  config.kv_type = DType::f32;
  config.rungs["linear"] = kFloat32;
  return config;
}

}  // namespace rung
