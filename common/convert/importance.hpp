#pragma once
// The importance of the weights: how large the inputs of each matrix are. With these numbers, a quantizer can
// place its errors where they matter least.
//
// If the inputs are uncorrelated, the expected squared error of a product is the sum over the columns c of
// E[x[c]^2] * (error of the weight)^2. The mean squares are measured on a calibration text
// (measure/importance.hpp). llama.cpp calls them an importance matrix.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace rung {

struct Importance {
  /// Maps the name of a GGUF tensor to the mean of x[c]^2 for every column, [slices, cols]. If a tensor
  /// contains several matrices, each expert is a slice. The slice of an expert that received no token
  /// contains only zeros.
  std::map<std::string, std::vector<float>, std::less<>> mean_squares;
  std::string text;           // file with the calibration text
  std::uint64_t tokens = 0;   // number of its tokens
  std::uint64_t windows = 0;  // number of windows in which it was read

  /// Returns the weights for a quantizer of the tensor `name`, [slices, cols], with a mean of 1 per slice, or
  /// nothing if the tensor is not known. A hundredth of the weight is spread evenly over the columns, because
  /// a text is only a sample and every column must count.
  std::vector<float> weights(std::string_view name, std::int64_t cols) const;
};

}  // namespace rung
