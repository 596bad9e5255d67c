#pragma once
// The weights of a model. Each weight has a role, and its shape and format are checked when it is loaded.
//
// Tensors are views of a mapped file or of converted memory. A weight that can be used in its stored form is
// not copied. The Model keeps the mapping alive.

#include <cstddef>
#include <vector>

#include "core/tensor.hpp"

namespace rung {

/// A matrix [out, in] or the weight of a norm [1, n] f32, with its bias [1, out] f32. Both are empty() if the
/// family does not have them.
struct Weight {
  Tensor weight;
  Tensor bias;
  bool empty() const { return weight.empty(); }
};

/// One feed-forward block of a mixture of experts. No published model has biases here.
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
  Weight router;          // [experts, dim], only in a mixture
  Weight gate;            // [ffn_dim, dim]; gate, up and down are empty in a mixture
  Weight up;              // [ffn_dim, dim]
  Weight down;            // [dim, ffn_dim]
  Weight ffn_post_norm;   // [1, dim], after the feed-forward block
  std::vector<ExpertWeights> experts;  // [experts], only in a mixture
};

struct ModelWeights {
  Tensor token_embedding;     // [vocab, dim]
  Tensor position_embedding;  // [context_length, dim]; only with learned positions
  std::vector<LayerWeights> layers;
  Weight output_norm;  // [1, dim]
  Tensor output;       // [vocab, dim]; the same tensor as token_embedding when tied

  /// Returns the bytes of all distinct tensors.
  std::size_t bytes() const;
  /// Returns the number of parameters. `experts_per_token` is the number of experts per layer that are
  /// counted, as one token uses them; 0: all.
  std::int64_t parameters(int experts_per_token = 0) const;
};

}  // namespace rung
