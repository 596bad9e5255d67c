#pragma once
// Several products of the same input, side by side in one output (q, k and v; gate and up), each with its
// bias where the model has one.
//
// Files store these weights apart, and mapped weights are not copied, so the rows of the parts cannot
// be made one matrix. Each part writes its own columns of y.

#include <memory>
#include <utility>
#include <vector>

#include "seams/linear.hpp"
#include "seams/ops.hpp"

namespace rung {

class StackedLinear final : public Linear {
 public:
  struct Part {
    std::unique_ptr<Linear> linear;
    std::int64_t width = 0;  // columns of y
    Tensor bias;             // [1, width] or empty
  };
  /// `ops` outlives this.
  StackedLinear(std::vector<Part> parts, const Ops& ops) : parts_(std::move(parts)), ops_(ops) {}

  void apply(const Tensor& x, const Tensor& y) override {
    std::int64_t begin = 0;
    for (const Part& part : parts_) {
      const Tensor own = y.col_slice(begin, part.width);
      part.linear->apply(x, own);
      if (!part.bias.empty()) ops_.add_row(part.bias, own);
      begin += part.width;
    }
  }

 private:
  std::vector<Part> parts_;
  const Ops& ops_;
};

}  // namespace rung
