#include "engine/dense_ffn.hpp"

#include <utility>

namespace rung {

FfnScratch::FfnScratch(const Workplace& place, const ModelConfig& model, int max_tokens, bool wide)
    : ffn_dim_(model.ffn_dim),
      wide_dim_(wide ? (model.gated_ffn ? 2 : 1) * ffn_dim_ : 0),
      hidden_(place, "feed-forward", bytes_of(DType::f32, max_tokens * ffn_dim_)),
      wide_(place, "gate and up", bytes_of(DType::f32, max_tokens * wide_dim_)) {}

Tensor FfnScratch::hidden(std::int64_t rows) const { return {hidden_.data(), DType::f32, rows, ffn_dim_}; }

Tensor FfnScratch::wide(std::int64_t rows) const {
  return wide_dim_ == 0 ? Tensor() : Tensor(wide_.data(), DType::f32, rows, wide_dim_);
}

DenseFfn::DenseFfn(std::unique_ptr<Products> gate_up, std::unique_ptr<Linear> down, const ModelConfig& model,
                   const Workplace& place, int max_tokens)
    : gate_up_(std::move(gate_up)),
      down_(std::move(down)),
      scratch_(place, model, max_tokens, gate_up_->needs_wide()) {}

void DenseFfn::run(const Tensor& x, const Tensor& out) {
  const Tensor hidden = scratch_.hidden(x.rows);
  gate_up_->run(x, scratch_.wide(x.rows), hidden);  // hidden [tokens, ffn_dim]
  down_->apply(hidden, out);                        // out [tokens, dim]
}

}  // namespace rung
