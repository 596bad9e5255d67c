#pragma once
// The search of fit.hpp as a Fit of blocks.hpp, for elements that count the same or by their weights.

#include "blocks.hpp"
#include "core/error.hpp"

namespace rung::quantization {

struct Search {
  template <int N, class Weights>
  float scale(const float* x, Weights weights, int low, int high) const {
    return fit_scale<N>(x, weights, low, high);
  }
  template <int N, class Weights>
  Range range(const float* x, Weights weights, int high, bool any_minimum) const {
    return fit_range<N>(x, weights, high, any_minimum);
  }
  template <class Weights>
  float iq4_nl(const float* x, Weights weights) const {
    return fit_iq4_nl(x, weights);
  }
};

constexpr bool is_searched(DType type) {
  return type == DType::q8_0 || type == DType::q4_0 || type == DType::q4_1 || type == DType::q5_0 ||
         type == DType::q5_1 || type == DType::iq4_nl || formats::is_k(type);
}

template <class Weights>
void encode_searched(DType type, const float* x, Weights weights, void* to, std::int64_t n) {
  const Search fit;
  if (type == DType::q8_0) return encode_q8_0(fit, x, weights, to, n);
  if (encode_scaled(fit, type, x, weights, to, n) || encode_ranged(fit, type, x, weights, to, n)) return;
  fail("the scales of {} are not searched for", traits(type).name);
}

}  // namespace rung::quantization
