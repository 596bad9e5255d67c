#pragma once
// The dense feed-forward block, which applies the same weights to every token: down(act(gate(x)) * up(x)), or
// down(act(up(x))) if the model family has no gate.

#include <memory>

#include "model/model_config.hpp"
#include "seams/ffn.hpp"
#include "seams/fusion.hpp"
#include "seams/linear.hpp"
#include "seams/scratch.hpp"

namespace rung {

/// Memory for the results between the two halves of a feed-forward block. All blocks of a model, and all
/// experts of a mixture, share this memory.
class FfnScratch {
 public:
  /// Requests memory for max_tokens rows. If `wide` is true, requests memory for gate and up before the
  /// activation too.
  FfnScratch(const Workplace& place, const ModelConfig& model, int max_tokens, bool wide);

  Tensor hidden(std::int64_t rows) const;  // [rows, ffn_dim] f32
  /// [rows, 2 * ffn_dim] f32, or [rows, ffn_dim] without a gate; empty if the constructor got wide = false.
  Tensor wide(std::int64_t rows) const;

 private:
  std::int64_t ffn_dim_, wide_dim_;
  ScratchMemory hidden_, wide_;
};

class DenseFfn final : public Ffn {
 public:
  /// gate_up [dim] -> [ffn_dim] includes the activation; down [ffn_dim] -> [dim].
  DenseFfn(std::unique_ptr<Products> gate_up, std::unique_ptr<Linear> down, const ModelConfig& model,
           const Workplace& place, int max_tokens);

  void run(const Tensor& x, const Tensor& out) override;

 private:
  std::unique_ptr<Products> gate_up_;
  std::unique_ptr<Linear> down_;
  FfnScratch scratch_;
};

}  // namespace rung
