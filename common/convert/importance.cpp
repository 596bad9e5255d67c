#include "convert/importance.hpp"

namespace rung {

std::vector<float> Importance::weights(std::string_view name, std::int64_t cols) const {
  constexpr double kEvenly = 0.01;
  const auto found = mean_squares.find(name);
  if (found == mean_squares.end()) return {};
  std::vector<float> weights(found->second.size());
  const auto width = static_cast<std::size_t>(cols);
  for (std::size_t begin = 0; begin + width <= weights.size(); begin += width) {
    double mean = 0;
    for (std::size_t c = begin; c < begin + width; ++c) mean += static_cast<double>(found->second[c]);
    mean /= static_cast<double>(width);
    for (std::size_t c = begin; c < begin + width; ++c) {
      const double own = mean > 0 ? static_cast<double>(found->second[c]) / mean : 1.0;
      weights[c] = static_cast<float>(kEvenly + (1 - kEvenly) * own);
    }
  }
  return weights;
}

}  // namespace rung
