#pragma once
// The figures of `rung perplexity`.

#include <cstddef>
#include <map>
#include <string>

#include "measure/perplexity.hpp"
#include "measure/report_json.hpp"

namespace rung {

struct PerplexityReport {
  PerplexityResult result;
  int ctx = 0;                               // tokens per window
  int stride = 0;                            // tokens from the start of one window to the next start
  std::size_t text_tokens = 0;               // tokens of the whole text
  double seconds = 0;                        // duration of the measurement
  std::map<std::string, std::string> rungs;  // by seam
};

/// The JSON of `rung perplexity --json`. A figure is null if it is undefined for the text.
Json to_json(const PerplexityReport& report);

}  // namespace rung
