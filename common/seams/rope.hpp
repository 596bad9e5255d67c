#pragma once
// Seam `rope`: the angles by which RoPE rotates queries and keys, within and beyond the context length that a
// model was trained for.
//
// An engine calls frequencies() once, when it is built, and computes its tables of cos and sin from the
// result. Thread safety: frequencies() is const and may be called by many threads.

#include <string>
#include <string_view>

#include <fmt/core.h>

#include "model/rope.hpp"

namespace rung {

struct RopeStretchConfig {
  RopeConfig rope;          // the RoPE parameters of the model
  int rotary_dim = 0;       // number of rotated elements of a head
  int trained_context = 0;  // context length in tokens that the model was trained for
  int context = 0;          // context length in tokens that the engine is built for

  /// Returns how many times longer the context is than the trained context; 1 if it is not longer.
  double factor() const {
    return context > trained_context ? static_cast<double>(context) / trained_context : 1.0;
  }

  std::string describe() const {
    return fmt::format("{} tokens for a model trained for {}{}", context, trained_context,
                       rope.scaling == RopeScaling::none ? "" : ", which stretches its positions itself");
  }
};

/// The largest factor by which the context of a model can be stretched beyond its trained context.
inline constexpr int kMostStretch = 64;

class RopeStretch {
 public:
  static constexpr std::string_view kSeam = "rope";
  using Config = RopeStretchConfig;

  virtual ~RopeStretch() = default;

  /// Returns the radians per position of each pair [rotary_dim / 2], and the factor of cos and sin.
  virtual RopeFrequencies frequencies() const = 0;
};

}  // namespace rung
