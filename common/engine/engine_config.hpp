#pragma once
// The settings of an engine: sizes, threads, and which rung each seam uses.

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
  int threads = 0;  // 0: all processors of this machine
  int context = 0;  // tokens per sequence; 0: the context length that the model was trained for, at most 4096
  int max_sequences = 1;  // sequences that run at the same time
  /// Largest number of rows of one forward pass; longer prompts are divided into chunks
  int max_step_tokens = 512;
  double batch_window_s = 0.01;  // how long a batch can wait for more requests, for schedulers that wait
  // Largest number of rows of logits in one forward pass; 0: one for each of max_sequences, and one for each
  // of its guesses.
  int max_step_outputs = 0;
  std::string device = "cpu";
  DType kv_type = DType::f16;  // of the keys and values in the cache
  int kv_block_size = 16;      // tokens per block of the cache, if its rung divides it into blocks
  /// Bytes of the cache; 0: as many as max_sequences sequences of full context need
  std::size_t kv_budget = 0;
  Eviction eviction = Eviction::lru;  // of the prefix cache
  /// If this is not negative, texts can grow beyond the context: the cache keeps this number of their first
  /// tokens, and the most recent ones (sliding_window.hpp). -1: a text ends at the context length.
  int sinks = -1;
  int max_waiting = 0;  // requests that can wait in the queue; submit() refuses further ones. 0: no limit
  /// Host memory for the keys and values of preempted sequences; 0: they are computed again
  std::size_t swap_bytes = 0;
  /// Whether they are copied or computed again, if there is such memory
  PreemptMode preempt = PreemptMode::automatic;
  double copy_bytes_per_s = 0;        // decides between the two (see PreemptionCost); 0: measured
  double recompute_tokens_per_s = 0;  // 0: measured
  /// Number of events that are kept for events(), 56 bytes each; 0: none is recorded
  std::size_t event_log = 0;
  bool cache_packed = false;  // keep packed copies of weights in a file next to the model
  double copy_budget = 0;     // memory for packed copies in bytes; 0: as much as is free
  /// Guesses the next tokens of texts that are decoded; null: no guesses
  std::shared_ptr<Speculator> speculator;
  LinearDecorator decorate;  // wraps the product of each weight (seams/linear_config.hpp); can be empty
  std::function<void(const std::string&)> notice;  // receives messages that are no errors; can be empty
  std::map<std::string, std::string> rungs;        // seam -> rung; a seam without an entry uses `auto`

  const std::string& rung(std::string_view seam) const {
    static const std::string automatic(kAuto);
    const auto found = rungs.find(std::string(seam));
    return found == rungs.end() ? automatic : found->second;
  }
};

/// A configuration that rounds nothing for speed: it uses float32 arithmetic and stores keys and values in
/// float32. Its text is that of the naive rungs, computed by the fastest rungs that give this text.
inline EngineConfig exact_config() {
  EngineConfig config;
  config.kv_type = DType::f32;
  config.rungs["linear"] = kFloat32;
  return config;
}

}  // namespace rung
