#pragma once
// The weights of a model, each asked for by role and checked for shape and format when it is loaded.
//
// Tensors are views of a mapped file (or of converted memory): nothing is copied when a weight is used
// as it lies on disk. Whoever holds the Model keeps the mapping alive.

#include <cstddef>
#include <vector>

#include "core/tensor.hpp"

namespace rung {

struct LayerWeights {
  Tensor attn_norm;  // [1, dim] f32
  Tensor q;          // [heads * head_dim, dim]
  Tensor k;          // [kv_heads * head_dim, dim]
  Tensor v;          // [kv_heads * head_dim, dim]
  Tensor attn_out;   // [dim, heads * head_dim]
  Tensor ffn_norm;   // [1, dim] f32
  Tensor gate;       // [ffn_dim, dim]
  Tensor up;         // [ffn_dim, dim]
  Tensor down;       // [dim, ffn_dim]
};

struct ModelWeights {
  Tensor token_embedding;  // [vocab, dim]
  std::vector<LayerWeights> layers;
  Tensor output_norm;  // [1, dim] f32
  Tensor output;       // [vocab, dim]; the same tensor as token_embedding when tied

  /// Bytes of all distinct tensors.
  std::size_t bytes() const;
};

}  // namespace rung
