#pragma once
// Seam `forward_pass`: one step of a model, or of some of its layers.
//
//   token ids, or rows of hidden states  ->  layers  ->  logits of the requested rows, or hidden states
//
// The whole model, a draft model, a stage of a pipeline and a rank of a parallel group are forward passes.
// The caller chains the stages: the rows that one stage returns are the input of the next stage. A caller
// that runs stages on several devices or machines copies the rows between them.
//
// Must not know: its caller, requests, where rows come from or go to.
// Thread safety: one call at a time; each uses the threads of the configuration inside. A row's result
// depends on its own sequence alone, bitwise.

#include <cstdint>

#include "core/tensor.hpp"
#include "seams/batch.hpp"
#include "seams/kv_cache.hpp"
#include "seams/mixer.hpp"
#include "seams/tap.hpp"

namespace rung {

/// What a forward pass returns.
enum class Leave : std::uint8_t {
  logits,  // [output_rows, vocab], for the rows in Batch::output_rows; only if the pass has the last layer
  hidden,  // [tokens, dim], the residual stream after the last layer of the pass, before the output norm
};

class ForwardPass {
 public:
  virtual ~ForwardPass() = default;

  /// Computes one step. `from` is the input of the first layer: [tokens, dim] f32 hidden states on the
  /// device, without gaps between rows. If `from` is empty, the input is the embeddings of batch.tokens.
  /// Returns an f32 tensor on the device, valid until the next call. `tap` may be empty.
  ///
  /// REQUIRES: the batch fits the sizes that this pass was built for; the caches have grown to hold it.
  /// Throws Error if `from` has another shape, if `from` is empty but this pass does not begin at the first
  /// layer, or if logits are requested but this pass does not end at the last layer.
  virtual Tensor forward(const Batch& batch, const Caches& caches, const Tensor& from, Leave to,
                         const Tap& tap) = 0;

  /// Computes one step of a whole model, from token ids to logits.
  Tensor forward(const Batch& batch, const Caches& caches, const Tap& tap = {}) {
    return forward(batch, caches, {}, Leave::logits, tap);
  }
};

}  // namespace rung
