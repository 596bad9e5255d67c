#pragma once
// How large the inputs of each matrix are: what a quantiser needs to know to spend its error where it is felt
// least.
//
// A product's expected squared error is sum over columns of E[x[c]^2] * (error of the weight)^2, for
// uncorrelated inputs. The mean squares come from a calibration text (measure/importance.hpp); llama.cpp
// calls them an importance matrix.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace rung {

struct Importance {
  /// By the name of a GGUF tensor: the mean of x[c]^2 for every column, [slices, cols]. Slices are the
  /// experts of a tensor that holds several matrices; one that no token was sent to is all zeros.
  std::map<std::string, std::vector<float>, std::less<>> mean_squares;
  std::string text;           // what they were measured on
  std::uint64_t tokens = 0;   // of it
  std::uint64_t windows = 0;  // in how many pieces

  /// Weights for a quantiser of the tensor `name`, [slices, cols], of mean 1 per slice; empty when nothing is
  /// known of it. A hundredth of the weight is spread evenly: a text is only a sample, and no column counts
  /// for nothing.
  std::vector<float> weights(std::string_view name, std::int64_t cols) const;
};

}  // namespace rung
