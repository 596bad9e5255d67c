// What makes a correct quantizer a good one: how little of the weights is lost.

#include <cmath>

#include "core/dtype.hpp"
#include "core/rng.hpp"
#include "quantization.hpp"

namespace rung::quantization {
namespace {

/// The root of the mean squared error of normal numbers in Q4_0, in percent of their own root mean square.
double error_percent(const Quantizer& quantizer) {
  constexpr std::size_t kCount = 1 << 14;
  Rng rng(20260701);
  std::vector<float> x(kCount), back(kCount);
  for (float& value : x) value = 0.02f * static_cast<float>(rng.normal());
  std::vector<std::byte> blocks(bytes_of(DType::q4_0, kCount));
  quantizer.quantize(x.data(), nullptr, blocks.data(), kCount);
  traits(DType::q4_0).to_float(blocks.data(), back.data(), kCount);
  double error = 0, square = 0;
  for (std::size_t i = 0; i < kCount; ++i) {
    error += std::pow(double{back[i]} - double{x[i]}, 2);
    square += std::pow(double{x[i]}, 2);
  }
  return 100 * std::sqrt(error / square);
}

}  // namespace

std::vector<Goal> goals(const Ladder<Quantizer>& ladder) {
  const auto count = [&ladder](const std::string& rung) {
    return error_percent(*ladder.make(rung, {DType::q4_0, false}));
  };
  return {{"root-mean-square error of 16,384 normal numbers in q4_0", "%", "search", 1.01, count}};
}

}  // namespace rung::quantization
