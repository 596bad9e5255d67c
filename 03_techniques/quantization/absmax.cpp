// Rung 0: the scale is what the extremes demand, and every element is rounded to the nearest level.
//
// The element of largest magnitude gets the outermost level; formats with a minimum spread their levels from
// the smallest element to the largest. No element is cut off, and nothing is tried: this is how each format
// converts in common/core (dtype_legacy.cpp, dtype_k_encode.cpp, dtype_codebook.cpp), where every other part
// of the house that writes blocks gets them from. What it cannot see: one outlier makes the steps of its
// whole block coarse.

#include "quantization.hpp"

namespace rung::quantization {

bool absmax_supports(const QuantizerConfig& config) {
  return traits(config.type).block_elements > 1 && !config.weighted;
}

void absmax(DType type, const float* x, const float*, void* to, std::int64_t n) {
  traits(type).from_float(x, to, n);
}

}  // namespace rung::quantization
