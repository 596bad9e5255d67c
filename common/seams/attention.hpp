#pragma once
// Seam `attention`: softmax(q k^T * scale) v over each sequence's own past, or the nearest part of it.
//
// Grouped-query attention: query head h reads KV head h / (heads / kv_heads). The mask is causal (see
// Batch). Keys and values of the step's own tokens are already in the cache when run() is called.
//
// A row that is a node of a tree of drafts visits its keys in the order of its path (see Batch). Its bits,
// and those of its log-sum-exp, are those of the same token at the end of a chain. A window counts along the
// path.
//
// Must not know: the scheduler, who else is in the batch (a row's result is bitwise the same alone).
// Thread safety: one call at a time; run() uses `threads` threads inside.

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include <fmt/core.h>

#include "core/tensor.hpp"
#include "seams/batch.hpp"
#include "seams/kv_cache.hpp"
#include "seams/scratch.hpp"

namespace rung {

struct AttentionConfig {
  int heads = 0;
  int kv_heads = 0;  // divides heads
  int head_dim = 0;
  float scale = 0;    // usually 1 / sqrt(head_dim)
  float softcap = 0;  // scaled scores become softcap * tanh(score / softcap); 0: off (Gemma 2)
  int window = 0;     // a token sees itself and the window - 1 tokens before it; 0: all of its past
  int threads = 1;
  DType kv_dtype = DType::f32;
  int max_context = 0;  // longest context_length plan() will see: scratch memory is taken once for it
  // Most rows of one step: plan() refuses more, and neither it nor run() allocates memory. 0: any number, for
  // which plan() allocates when a step is larger than all before it.
  int max_tokens = 0;
  Workplace place;  // whose scratch run() uses

  std::string describe() const {
    std::string text = fmt::format("attention with {} heads, {} KV heads of {}, K and V in {}", heads,
                                   kv_heads, head_dim, traits(kv_dtype).name);
    if (window != 0) text += fmt::format(", a window of {} tokens", window);
    if (softcap != 0) text += fmt::format(", scores capped at {}", softcap);
    return text;
  }
};

class Attention {
 public:
  static constexpr std::string_view kSeam = "attention";
  using Config = AttentionConfig;

  virtual ~Attention() = default;

  /// Host work of one step, done once for all layers. Keeps a reference: `batch` must outlive run(). Throws
  /// Error when a context is longer than config.max_context, a step has more rows than config.max_tokens, or
  /// masks are not those of trees (check_trees()).
  virtual void plan(const Batch& batch) = 0;

  /// One layer. q [tokens, heads * head_dim] (rows may be strided), out likewise; both f32.
  /// REQUIRES: plan() was called with this step's batch; `out` overlaps neither q nor the cache. Throws Error
  /// when the cache has another format than config.kv_dtype, or blocks of a size that the rung cannot read.
  /// Nothing is allocated here.
  ///
  /// lse [tokens, heads] f32, or empty: for each row the logarithm of the sum of exp(score) over the keys
  /// that it sees (natural logarithm, scores scaled and capped). With it, results over two sets of keys can
  /// be merged into that over both (ops/merge_attention.hpp). The bits of `out` do not depend on whether it
  /// is asked for.
  virtual void run(const Tensor& q, const KvView& kv, const Tensor& out, const Tensor& lse) = 0;
  void run(const Tensor& q, const KvView& kv, const Tensor& out) { run(q, kv, out, {}); }

  /// Bytes of host memory that this object holds. What it shares through config.place.scratch is not among
  /// them: Scratch::bytes() counts it once for all.
  virtual std::size_t scratch_bytes() const { return 0; }
};

}  // namespace rung
