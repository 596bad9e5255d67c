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
  int ctx = 0;                               // tokens of a window
  int stride = 0;                            // tokens from one window to the next
  std::size_t text_tokens = 0;               // tokens of the whole text
  double seconds = 0;                        // that the measurement took
  std::map<std::string, std::string> rungs;  // by seam
};

/// The JSON of `rung perplexity --json`. Figures that the text does not define are null.
Json to_json(const PerplexityReport& report);

}  // namespace rung
