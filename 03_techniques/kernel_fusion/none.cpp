// Rung 0 of `fusion`: nothing is fused. Every step is the operations that it is made of, one after the other.
//
// Each operation sends the threads out over its own input and waits for them, and what it writes is read
// again by the next: the intermediate [tokens, 2 * ffn] of gate and up is the largest of these.

#include <utility>

#include "kernel_fusion.hpp"

namespace rung::kernel_fusion {
namespace {

class Separate final : public Products {
 public:
  Separate(std::vector<ProductPart> parts, const FusionConfig& config, bool activated)
      : parts_(std::move(parts)), config_(config), activated_(activated) {}

  bool needs_wide() const override { return activated_; }

  void run(const Tensor& x, const Tensor& wide, const Tensor& y) override {
    const Tensor& all = activated_ ? wide : y;
    std::int64_t column = 0;
    for (const ProductPart& part : parts_) {
      const Tensor own = all.col_slice(column, part.width);
      part.linear->apply(x, own);
      if (!part.bias.empty()) config_.ops->add_row(part.bias, own);
      column += part.width;
    }
    if (activated_) config_.ops->activate(wide, config_.activation, y);
  }

 private:
  std::vector<ProductPart> parts_;
  FusionConfig config_;
  bool activated_;
};

}  // namespace

std::unique_ptr<Products> NoFusion::side_by_side(std::vector<ProductPart> parts) {
  return std::make_unique<Separate>(std::move(parts), config_, false);
}

std::unique_ptr<Products> NoFusion::activated(std::vector<ProductPart> parts) {
  return std::make_unique<Separate>(std::move(parts), config_, true);
}

}  // namespace rung::kernel_fusion
