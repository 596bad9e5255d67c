// Rung 1: some twenty scales around the one that the extremes demand are tried; the best is kept.
//
// What changes against absmax: fit.hpp. A scale that is a little smaller cuts the largest element off and
// rounds the other 31 more finely. For each candidate the elements are rounded, then the scale that fits
// these integers best is solved for (least squares), and the sum of squared errors decides. In K blocks the
// integer scales beside the nearest are tried too, with the rounded d that the file will hold. The blocks
// read as before; only whoever writes them takes longer.

#include "search.hpp"
#include "quantization.hpp"

namespace rung::quantization {

bool search_supports(const QuantizerConfig& config) { return is_searched(config.type) && !config.weighted; }

void search(DType type, const float* x, const float*, void* to, std::int64_t n) {
  encode_searched(type, x, formats::Equally(), to, n);
}

}  // namespace rung::quantization
