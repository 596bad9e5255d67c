#pragma once
// Seam `one_token`: a forward pass in its plainest form, for lesson 0.
//
//   the token ids of a text  ->  the logits of the token that follows it
//
// All weights are float32 arrays in host memory, and one text is computed at a time. This is not how the
// engine works (seams/forward_pass.hpp). The logits are the same, and an engine can run a rung of this seam
// in place of its own forward pass (`--set one_token=kv_cache`).
//
// Thread safety: one call at a time.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/core.h>

namespace rung {

/// The weights of one layer. A matrix [rows, cols] is stored row by row; its product with a vector of `cols`
/// numbers has `rows` numbers.
struct PlainLayer {
  std::vector<float> attn_norm;  // [dim]
  std::vector<float> q;          // [heads * head_dim, dim]
  std::vector<float> k, v;       // [kv_heads * head_dim, dim]
  std::vector<float> attn_out;   // [dim, heads * head_dim]
  std::vector<float> ffn_norm;   // [dim]
  std::vector<float> gate, up;   // [ffn_dim, dim]
  std::vector<float> down;       // [dim, ffn_dim]
};

/// A transformer of the Llama family.
struct PlainModel {
  int dim = 0;       // numbers in the vector of a token
  int heads = 0;     // query heads; a multiple of kv_heads
  int kv_heads = 0;  // heads of keys and values; heads / kv_heads query heads share each
  int head_dim = 0;  // numbers of a head; even
  int ffn_dim = 0;   // numbers between the two halves of the feed-forward block
  int vocab = 0;     // tokens that the model knows
  float norm_eps = 0;
  std::vector<double> radians;   // [head_dim / 2], the angle of each pair of a head per position
  std::vector<float> embedding;  // [vocab, dim]
  std::vector<PlainLayer> layers;
  std::vector<float> output_norm;  // [dim]
  std::vector<float> output;       // [vocab, dim]

  /// Returns the number of weights that the next token of a text needs: all but the embedding, of which it
  /// needs one row.
  double weights_per_token() const {
    const double layer =
        static_cast<double>(dim) * head_dim * 2 * (heads + kv_heads) + 3.0 * dim * ffn_dim + 2.0 * dim;
    return static_cast<double>(layers.size()) * layer + static_cast<double>(dim) * (vocab + 2);
  }
};

struct OneTokenConfig {
  std::shared_ptr<const PlainModel> model;
  std::string describe() const {
    return fmt::format("a model of {} layers", model == nullptr ? 0 : model->layers.size());
  }
};

class OneToken {
 public:
  static constexpr std::string_view kSeam = "one_token";
  using Config = OneTokenConfig;
  virtual ~OneToken() = default;

  /// Returns the logits [vocab] of the token that follows `text`, valid until the next call. A rung may reuse
  /// what it kept from the call before if that text began with the same tokens. REQUIRES: `text` is not
  /// empty, and its ids are from 0 to vocab - 1.
  virtual std::span<const float> logits(std::span<const std::int32_t> text) = 0;
};

}  // namespace rung
