#pragma once
// Measures the inputs of each matrix of a model on a calibration text (convert/importance.hpp).

#include <cstdint>
#include <functional>
#include <string>

#include "convert/importance.hpp"

namespace rung {

struct ImportanceOptions {
  int ctx = 512;                // tokens per window; at most the model's context length
  std::size_t max_windows = 0;  // 0: the whole text
  int threads = 0;              // 0: all processors
  std::function<void(std::uint64_t done, std::uint64_t total)> progress;  // windows; may throw
};

/// Runs the GGUF model at `path` over `text`, window by window, and records the inputs of every product. A
/// decorator (EngineConfig::decorate) adds up the squares of x and passes x on to the usual rung. Throws
/// Error if the model cannot be loaded or its hidden states are not finite, and UsageError if the text has
/// fewer than two tokens.
Importance measure_importance(const std::string& path, const std::string& text,
                              const ImportanceOptions& options);

}  // namespace rung
