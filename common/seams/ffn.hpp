#pragma once
// Seam `ffn`: the feed-forward block of a layer, which works on each token by itself.
//
// A dense block (engine/dense_ffn.hpp) and a mixture of experts (engine/moe_ffn.hpp) implement it. A mixture
// whose experts lie on several ranks fits too: run() sends the rows to their experts and gets them back, and
// plan() tells the ranks how many rows the step has.
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

  /// Host work of one step, called once before the first layer runs, on the blocks of all layers.
  virtual void plan(const Batch& /*batch*/) {}

  /// x and out [tokens, dim] f32. Nothing is allocated here. REQUIRES: plan() was called with this step's
  /// batch; `out` does not overlap x.
  virtual void run(const Tensor& x, const Tensor& out) = 0;

  /// Shows `tap` what the last run() computed besides its result, if there is anything. `layer` is only
  /// passed on.
  virtual void show(const Tap& /*tap*/, int /*layer*/) const {}
};

}  // namespace rung
