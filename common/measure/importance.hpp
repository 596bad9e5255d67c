#pragma once
// Measures what each matrix of a model is multiplied with on a calibration text (convert/importance.hpp).

#include <cstdint>
#include <functional>
#include <string>

#include "convert/importance.hpp"

namespace rung {

struct ImportanceOptions {
  int ctx = 512;                // tokens of a window; at most the model's context
  std::size_t max_windows = 0;  // 0: the whole text
  int threads = 0;              // 0: all processors
  std::function<void(std::uint64_t done, std::uint64_t total)> progress;  // windows; may throw
};

/// Runs the GGUF model at `path` over `text`, window by window, and records the inputs of every product: a
/// decorator (EngineConfig::decorate) that hands x on to the usual rung and adds up its squares. Throws Error
/// when the model cannot be loaded or its hidden states are not finite, UsageError when the text is shorter
/// than two tokens.
Importance measure_importance(const std::string& path, const std::string& text,
                              const ImportanceOptions& options);

}  // namespace rung
