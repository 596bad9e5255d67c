#pragma once
// Several products of the same input, side by side in one output: q, k and v; gate and up.
//
// Files store these weights apart, and mapped weights are not copied, so the rows of the parts cannot
// be made one matrix. Each part writes its own columns of y.

#include <memory>
#include <utility>
#include <vector>

#include "seams/linear.hpp"

namespace rung {

class StackedLinear final : public Linear {
 public:
  struct Part {
    std::unique_ptr<Linear> linear;
    std::int64_t width = 0;  // columns of y
  };
  explicit StackedLinear(std::vector<Part> parts) : parts_(std::move(parts)) {}

  void apply(const Tensor& x, const Tensor& y) override {
    std::int64_t begin = 0;
    for (const Part& part : parts_) {
      part.linear->apply(x, y.col_slice(begin, part.width));
      begin += part.width;
    }
  }

 private:
  std::vector<Part> parts_;
};

}  // namespace rung
