#pragma once
// Seam `rope`: by which angles positions turn queries and keys, within and beyond the length a model was
// trained for.
//
// Asked once, when an engine is built; the engine makes tables of cos and sin of what it answers. Pure
// arithmetic. Thread safety: frequencies() is const and may be called by many threads.

#include <string>
#include <string_view>

#include <fmt/core.h>

#include "model/rope.hpp"

namespace rung {

struct RopeStretchConfig {
  RopeConfig rope;  // the model's own
  int rotary_dim = 0;
  int trained_context = 0;  // tokens
  int context = 0;          // that the engine is built for

  /// How many times longer than trained; 1 where it is not longer.
  double factor() const {
    return context > trained_context ? static_cast<double>(context) / trained_context : 1.0;
  }

  std::string describe() const {
    return fmt::format("{} tokens for a model trained for {}{}", context, trained_context,
                       rope.scaling == RopeScaling::none ? "" : ", which stretches its positions itself");
  }
};

/// The longest context of a stretched model, in trained lengths.
inline constexpr int kMostStretch = 64;

class RopeStretch {
 public:
  static constexpr std::string_view kSeam = "rope";
  using Config = RopeStretchConfig;

  virtual ~RopeStretch() = default;

  /// [rotary_dim / 2] radians per position, and what multiplies cos and sin.
  virtual RopeFrequencies frequencies() const = 0;
};

}  // namespace rung
