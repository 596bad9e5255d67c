#pragma once
// The feed-forward block that every token goes through: down(act(gate(x)) * up(x)), or down(act(up(x))) where
// the family has no gate.

#include <memory>

#include "model/model_config.hpp"
#include "seams/ffn.hpp"
#include "seams/fusion.hpp"
#include "seams/linear.hpp"
#include "seams/scratch.hpp"

namespace rung {

/// Where feed-forward blocks write between their two halves. All blocks of a model, and all experts of a
/// mixture, use the same memory.
class FfnScratch {
 public:
  /// Memory for max_tokens rows. `wide`: also for gate and up before the activation.
  FfnScratch(const Workplace& place, const ModelConfig& model, int max_tokens, bool wide);

  Tensor hidden(std::int64_t rows) const;  // [rows, ffn_dim] f32
  Tensor wide(
      std::int64_t rows) const;  // [rows, 2 * ffn_dim], without gate [rows, ffn_dim], f32; may be empty

 private:
  std::int64_t ffn_dim_, wide_dim_;
  ScratchMemory hidden_, wide_;
};

class DenseFfn final : public Ffn {
 public:
  /// gate_up [dim] -> [ffn_dim], the activation included; down [ffn_dim] -> [dim].
  DenseFfn(std::unique_ptr<Products> gate_up, std::unique_ptr<Linear> down, const ModelConfig& model,
           const Workplace& place, int max_tokens);

  void run(const Tensor& x, const Tensor& out) override;

 private:
  std::unique_ptr<Products> gate_up_;
  std::unique_ptr<Linear> down_;
  FfnScratch scratch_;
};

}  // namespace rung
