#pragma once
// Seam `ffn`: the feed-forward block of a layer, which computes each token independently of the others.
//
// A dense block (engine/dense_ffn.hpp) and a mixture of experts (engine/moe_ffn.hpp) implement this seam. A
// mixture whose experts are on several ranks fits it too: plan() tells the ranks how many rows the step has,
// and run() sends the rows to their experts and receives the results.
//
// Must not know: layers, sequences, the residual stream.
// Thread safety: one call at a time; each uses the threads of the block's configuration inside. A row's
// result depends on that row alone, bitwise.

#include "core/tensor.hpp"
#include "seams/batch.hpp"
#include "seams/tap.hpp"

namespace rung {

class Ffn {
 public:
  virtual ~Ffn() = default;

  /// Does the host work of one step. The forward pass calls it on the blocks of all layers before the first
  /// layer runs.
  virtual void plan(const Batch& /*batch*/) {}

  /// Computes the block's output rows. x and out [tokens, dim] f32. Allocates nothing. REQUIRES: plan() was
  /// called with this step's batch; `out` does not overlap x.
  virtual void run(const Tensor& x, const Tensor& out) = 0;

  /// Passes to `tap` the intermediate values of the last run(), if the block has any. `layer` is passed to
  /// `tap` unchanged.
  virtual void show(const Tap& /*tap*/, int /*layer*/) const {}
};

}  // namespace rung
