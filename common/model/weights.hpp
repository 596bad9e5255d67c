#pragma once
// The weights of a model, each asked for by role and checked for shape and format when it is loaded.
//
// Tensors are views of a mapped file (or of converted memory): nothing is copied when a weight is used
// as it lies on disk. Whoever holds the Model keeps the mapping alive.

#include <cstddef>
#include <vector>

#include "core/tensor.hpp"

namespace rung {

/// A matrix [out, in] or the weight of a norm [1, n] f32, and its bias [1, out] f32. Families differ in
/// which of them they have: empty() where this one has none.
struct Weight {
  Tensor weight;
  Tensor bias;
  bool empty() const { return weight.empty(); }
};

/// One feed-forward block of a mixture. No published model has biases here.
struct ExpertWeights {
  Tensor gate;  // [ffn_dim, dim]
  Tensor up;    // [ffn_dim, dim]
  Tensor down;  // [dim, ffn_dim]
};

struct LayerWeights {
  Weight attn_norm;       // [1, dim], before attention
  Weight q;               // [heads * head_dim, dim]
  Weight k;               // [kv_heads * head_dim, dim]
  Weight v;               // [kv_heads * head_dim, dim]
  Weight q_norm;          // [1, head_dim], or [1, heads * head_dim] over all heads together (OLMo 2)
  Weight k_norm;          // the same for kv_heads
  Weight attn_out;        // [dim, heads * head_dim]
  Weight attn_post_norm;  // [1, dim], after attention, before it is added to the residual stream
  Weight ffn_norm;        // [1, dim], before the feed-forward block
  Weight router;          // [experts, dim], of a mixture only
  Weight gate;            // [ffn_dim, dim]; these three not in a mixture
  Weight up;              // [ffn_dim, dim]
  Weight down;            // [dim, ffn_dim]
  Weight ffn_post_norm;   // [1, dim], after the feed-forward block
  std::vector<ExpertWeights> experts;  // [experts], of a mixture only
};

struct ModelWeights {
  Tensor token_embedding;     // [vocab, dim]
  Tensor position_embedding;  // [context_length, dim]; only with learned positions
  std::vector<LayerWeights> layers;
  Weight output_norm;  // [1, dim]
  Tensor output;       // [vocab, dim]; the same tensor as token_embedding when tied

  /// Bytes of all distinct tensors.
  std::size_t bytes() const;
  /// How many numbers they are. `experts_per_token`: count that many experts of a layer, as one token does;
  /// 0: all.
  std::int64_t parameters(int experts_per_token = 0) const;
};

}  // namespace rung
