#pragma once
// Seam `quantizer`: a row of floats becomes a row of a block format (core/dtype.hpp).
//
// The format says what a block means; a rung chooses its scales and integers. Used when a file is written
// (`rung quantize`), never while a model runs.
// Thread safety: quantize() is const and is called by many threads, a row each. The result must not depend
// on which thread does which row.

#include <cstdint>
#include <string>
#include <string_view>

#include <fmt/core.h>

#include "core/dtype.hpp"

namespace rung {

struct QuantizerConfig {
  DType type = DType::q4_0;
  bool weighted = false;  // quantize() will be told how much each element counts

  std::string describe() const {
    return fmt::format("{} {} importance weights", traits(type).name, weighted ? "with" : "without");
  }
};

class Quantizer {
 public:
  static constexpr std::string_view kSeam = "quantizer";
  using Config = QuantizerConfig;

  virtual ~Quantizer() = default;

  /// x [n] -> blocks [bytes_of(type, n)]. With config.weighted, weights [n] say how much the squared error of
  /// each element counts: none is negative; else weights is null.
  /// REQUIRES: n is a multiple of the format's block. Throws Error, naming the element, when x holds a NaN or
  /// a magnitude above 65504, the largest that a binary16 scale can promise.
  virtual void quantize(const float* x, const float* weights, void* blocks, std::int64_t n) const = 0;
};

}  // namespace rung
