#pragma once
// Seam `forward_pass`: one step of a model, or of some of its layers.
//
//   token ids, or rows of hidden states  ->  layers  ->  logits of the asked rows, or rows of hidden states
//
// The whole model, a draft model, a stage of a pipeline and a rank of a parallel group are forward passes.
// Stages are chained by their caller: the rows that leave one of them enter the next. A caller that runs
// stages on several devices or machines moves the rows between them.
//
// Must not know: who calls it, requests, where rows come from or go to.
// Thread safety: one call at a time; each uses the threads of the configuration inside. A row's result
// depends on its own sequence alone, bitwise.

#include <cstdint>

#include "core/tensor.hpp"
#include "seams/batch.hpp"
#include "seams/kv_cache.hpp"
#include "seams/mixer.hpp"
#include "seams/tap.hpp"

namespace rung {

/// What leaves a forward pass.
enum class Leave : std::uint8_t {
  logits,  // [output_rows, vocab], of the rows in Batch::output_rows; of a pass that ends at the last layer
  hidden,  // [tokens, dim], the residual stream after the last layer of the pass, before the output norm
};

class ForwardPass {
 public:
  virtual ~ForwardPass() = default;

  /// One step. `from`: [tokens, dim] f32 hidden states on the device, without gaps between rows, which enter
  /// the first layer as they are; empty: the embeddings of batch.tokens enter. Returns a tensor of f32 on the
  /// device, valid until the next call. `tap` may be empty.
  ///
  /// REQUIRES: the batch fits the sizes that this was built for; the caches have grown to hold it. Throws
  /// Error when `from` has another shape, or when this pass cannot begin with token ids or end with logits.
  virtual Tensor forward(const Batch& batch, const Caches& caches, const Tensor& from, Leave to,
                         const Tap& tap) = 0;

  /// The step of a whole model: enters with token ids, leaves with logits.
  Tensor forward(const Batch& batch, const Caches& caches, const Tap& tap = {}) {
    return forward(batch, caches, {}, Leave::logits, tap);
  }
};

}  // namespace rung
