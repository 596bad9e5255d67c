#pragma once
// Seam `attention`: softmax(q k^T * scale) v over each sequence's own past, or over its most recent part.
//
// Grouped-query attention: query head h reads KV head h / (heads / kv_heads). The mask is causal (see
// Batch). Keys and values of the step's own tokens are already in the cache when run() is called.
//
// A row can be a node of a tree of drafts. Such a row visits its keys in the order of its path (see Batch).
// Its result and its log-sum-exp are bitwise the same as those of the same token at the end of a chain. A
// window counts the tokens of the path.
//
// Must not know: the scheduler, and the other sequences of the batch (a row's result is bitwise the same
// without them). Thread safety: one call at a time; run() uses `threads` threads inside.

#include <cstddef>
#include <string_view>

#include "core/tensor.hpp"
#include "seams/attention_config.hpp"
#include "seams/batch.hpp"
#include "seams/kv_cache.hpp"

namespace rung {

class Attention {
 public:
  static constexpr std::string_view kSeam = "attention";
  using Config = AttentionConfig;

  virtual ~Attention() = default;

  /// Does the host work of one step, once for all layers. Keeps a reference to `batch`, which must outlive
  /// run(). Throws Error if a context is longer than config.max_context, if the step has more rows than
  /// config.max_tokens, or if the masks do not describe trees (check_trees()).
  virtual void plan(const Batch& batch) = 0;

  /// Computes one layer. q and out [tokens, heads * head_dim] f32; rows of both may be strided. Allocates
  /// nothing. REQUIRES: plan() was called with this step's batch; `out` overlaps neither q nor the cache.
  /// Throws Error if the cache has another format than config.kv_dtype, or a block size that the rung cannot
  /// read.
  ///
  /// lse [tokens, heads] f32, or empty: for each row, the natural logarithm of the sum of exp(score) over the
  /// keys that the row sees, where scores are scaled and capped. With lse, the results over two sets of keys
  /// can be merged into the result over both (ops/merge_attention.hpp). `out` is bitwise the same with and
  /// without lse.
  virtual void run(const Tensor& q, const KvView& kv, const Tensor& out, const Tensor& lse) = 0;
  void run(const Tensor& q, const KvView& kv, const Tensor& out) { run(q, kv, out, {}); }

  /// Returns the bytes of host memory that this object owns. Memory that it shares through
  /// config.place.scratch is not included, because Scratch::bytes() counts it.
  virtual std::size_t scratch_bytes() const { return 0; }
};

}  // namespace rung
