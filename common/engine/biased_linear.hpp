#pragma once
// A product with a bias, y = x W^T + b, for places where a layer has a single product. It is a decorator of
// Linear (seams/linear.hpp). The bias is added after the all-reduce of a row-split product, so that it counts
// once, and before anything that EngineConfig::decorate adds.

#include <memory>
#include <utility>

#include "seams/linear.hpp"
#include "seams/ops.hpp"

namespace rung {

class BiasedLinear final : public Linear {
 public:
  /// bias [1, out]. `ops` outlives this.
  BiasedLinear(std::unique_ptr<Linear> linear, const Tensor& bias, const Ops& ops)
      : linear_(std::move(linear)), bias_(bias), ops_(ops) {}

  void apply(const Tensor& x, const Tensor& y) override {
    linear_->apply(x, y);
    ops_.add_row(bias_, y);
  }

 private:
  std::unique_ptr<Linear> linear_;
  Tensor bias_;
  const Ops& ops_;
};

}  // namespace rung
