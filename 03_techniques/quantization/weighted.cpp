// Rung 2: the same search, but the squared error of each element counts by the input that it will meet.
//
// What changes against search: the weights in its sums. A product's error is sum x[c] * (w[c] - w'[c]); if
// inputs are uncorrelated, its expected square is sum mean(x[c]^2) * (w[c] - w'[c])^2. The mean squares are
// read from a text that the model is run over first (`rung quantize --imatrix TEXT`,
// common/measure/importance.cpp). Columns that carry large inputs are rounded with more care, at the cost of
// those that carry nothing.

#include "quantization.hpp"
#include "search.hpp"

namespace rung::quantization {

bool weighted_supports(const QuantizerConfig& config) { return is_searched(config.type) && config.weighted; }

void weighted(DType type, const float* x, const float* weights, void* to, std::int64_t n) {
  encode_searched(type, x, formats::Weighted(weights), to, n);
}

}  // namespace rung::quantization
