#pragma once
// The mixer of a transformer layer: softmax attention over cached keys and values (Vaswani et al. 2017, arXiv
// 1706.03762).

#include <memory>

#include "model/model_config.hpp"
#include "seams/attention.hpp"
#include "seams/fusion.hpp"
#include "seams/linear.hpp"
#include "seams/mixer.hpp"
#include "seams/ops.hpp"
#include "seams/scratch.hpp"

namespace rung {

class SoftmaxMixer final : public Mixer {
 public:
  /// The parts of one layer. Norms may be empty.
  struct Parts {
    int layer = 0;                     // index of the layer in the cache
    std::unique_ptr<Products> qkv;     // [dim] -> [(heads + 2 * kv_heads) * head_dim]
    Norm q_norm, k_norm;               // over [1, head_dim] or the whole width
    const RopeTables* rope = nullptr;  // null: no rotation in this layer; not owned
    Attention* attention = nullptr;    // several layers may share it; not owned
    bool plans_attention = true;       // whether this layer calls attention->plan(); true for one of them
    std::unique_ptr<Linear> attn_out;  // [heads * head_dim] -> [dim]
  };
  /// Requests memory for max_tokens rows from `place`. All mixers of a model share this memory. `ops` and the
  /// parts that are not owned must outlive the mixer.
  SoftmaxMixer(Parts parts, const ModelConfig& model, const Ops& ops, const Workplace& place, int max_tokens);

  void plan(const Batch& batch) override;
  void run(const Tensor& n, const DeviceBatch& batch, const Caches& caches, const Tensor& out) override;

 private:
  Parts parts_;
  const Ops& ops_;
  std::int64_t q_width_, kv_width_;  // columns of q; of k and of v
  ScratchMemory qkv_, attn_;         // [max_tokens, q_width + 2 * kv_width], [max_tokens, q_width] f32
};

}  // namespace rung
