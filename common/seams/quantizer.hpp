#pragma once
// Seam `quantizer`: converts a row of floats to a row of a block format (core/dtype.hpp).
//
// The format defines what the bits of a block mean. A rung chooses the block's scales and integers. Rungs run
// when a file is written (`rung quantize`), never while a model runs.
// Thread safety: quantize() is const. Many threads call it, each for a different row. The result must not
// depend on which thread converts which row.

#include <cstdint>
#include <string>
#include <string_view>

#include <fmt/core.h>

#include "core/dtype.hpp"

namespace rung {

struct QuantizerConfig {
  DType type = DType::q4_0;
  bool weighted = false;  // quantize() receives importance weights

  std::string describe() const {
    return fmt::format("{} {} importance weights", traits(type).name, weighted ? "with" : "without");
  }
};

class Quantizer {
 public:
  static constexpr std::string_view kSeam = "quantizer";
  using Config = QuantizerConfig;

  virtual ~Quantizer() = default;

  /// Converts x [n] to blocks [bytes_of(type, n)]. If config.weighted is true, weights [n] are the factors of
  /// the elements' squared errors, none of them negative; otherwise weights is null. REQUIRES: n is a
  /// multiple of the format's block. Throws Error that names the element if x contains a NaN or a magnitude
  /// above 65504, the largest finite number in binary16, the format of the scales.
  virtual void quantize(const float* x, const float* weights, void* blocks, std::int64_t n) const = 0;
};

}  // namespace rung
