// A wrong answer to the exercise of lesson 0: neighboring query heads read different KV heads.

#include <algorithm>
#include <cmath>

#include "one_token.hpp"

namespace rung::one_token {

// Step 1. Root-mean-square norm. x, weight and out have dim numbers.
//   out[i] = x[i] / sqrt(mean of all x[j]^2 + eps) * weight[i]
void my_norm(std::span<const float> x, std::span<const float> weight, float eps, std::span<float> out) {
  float sum = 0;
  for (const float number : x) sum += number * number;
  const float scale = 1 / std::sqrt(sum / static_cast<float>(x.size()) + eps);
  for (std::size_t i = 0; i < x.size(); ++i) out[i] = x[i] * scale * weight[i];
}

// Step 2. The product of a matrix [out.size(), x.size()] and the vector x.
//   out[r] = sum over c of matrix[r, c] * x[c]
void my_product(std::span<const float> matrix, std::span<const float> x, std::span<float> out) {
  for (std::size_t r = 0; r < out.size(); ++r) {
    const float* row = matrix.data() + r * x.size();
    float sum = 0;
    for (std::size_t c = 0; c < x.size(); ++c) sum += row[c] * x[c];
    out[r] = sum;
  }
}

// Step 3. RoPE: rotates the pairs of one head in place. Pair i has the numbers head[2 * i] and
// head[2 * i + 1]. It is rotated by the angle position * radians[i]: the pair (a, b) becomes
// (a cos - b sin, a sin + b cos). Compute the angle in double: at position 1,000, a float has lost three
// digits of it.
void my_rotate(std::span<const double> radians, int position, std::span<float> head) {
  for (std::size_t i = 0; i < radians.size(); ++i) {
    const double angle = position * radians[i];
    const auto c = static_cast<float>(std::cos(angle)), s = static_cast<float>(std::sin(angle));
    const float a = head[2 * i], b = head[2 * i + 1];
    head[2 * i] = a * c - b * s;
    head[2 * i + 1] = a * s + b * c;
  }
}

// Step 4. Attention of one query head. query and out have head_dim numbers. The key of position p begins at
// keys + p * stride, its value at values + p * stride, for p = 0 .. positions - 1. Each has head_dim numbers.
// The stride is kv_heads * head_dim, because the keys of all KV heads of a position are stored together.
// All scores may be negative: do not start the maximum at 0.
//   score[p]  = (query . key[p]) / sqrt(head_dim)
//   weight[p] = exp(score[p] - largest score) / sum of these exponentials
//   out       = sum over p of weight[p] * value[p]
void my_attention(std::span<const float> query, const float* keys, const float* values, int stride,
                  int positions, std::span<float> out) {
  const std::size_t head_dim = query.size();
  std::vector<float> scores(static_cast<std::size_t>(positions));
  for (int p = 0; p < positions; ++p) {
    float product = 0;
    for (std::size_t d = 0; d < head_dim; ++d) product += query[d] * keys[p * stride + static_cast<int>(d)];
    scores[static_cast<std::size_t>(p)] = product / std::sqrt(static_cast<float>(head_dim));
  }
  const float largest = *std::max_element(scores.begin(), scores.end());
  float sum = 0;
  for (float& score : scores) {
    score = std::exp(score - largest);
    sum += score;
  }
  std::fill(out.begin(), out.end(), 0.0f);
  for (int p = 0; p < positions; ++p) {
    const float weight = scores[static_cast<std::size_t>(p)] / sum;
    for (std::size_t d = 0; d < head_dim; ++d) out[d] += weight * values[p * stride + static_cast<int>(d)];
  }
}

// Step 5. The feed-forward block. x and out have dim numbers. The vectors gate, up and hidden have ffn_dim
// numbers, which is layer.gate.size() / x.size().
//   gate = layer.gate * x,  up = layer.up * x        (products of step 2)
//   hidden[i] = gate[i] / (1 + exp(-gate[i])) * up[i]
//   out = layer.down * hidden
void my_feed_forward(const PlainLayer& layer, std::span<const float> x, std::span<float> out) {
  const std::size_t ffn_dim = layer.gate.size() / x.size();
  std::vector<float> hidden(ffn_dim), up(ffn_dim);
  my_product(layer.gate, x, hidden);
  my_product(layer.up, x, up);
  for (std::size_t i = 0; i < ffn_dim; ++i) hidden[i] = hidden[i] / (1 + std::exp(-hidden[i])) * up[i];
  my_product(layer.down, hidden, out);
}

// Step 6. The whole pass. The checks begin with a model that has no layers, and go on in the order of these
// lines, so that you can write one line after the other.
//   x = row `token` of model.embedding
//   for every layer i:
//     n = norm of x with attn_norm;  q, k, v = layer.q * n, layer.k * n, layer.v * n
//     rotate every head of q and of k;  append k and v to cache[i].keys and cache[i].values
//     for every query head h: attention over the position + 1 keys of KV head h / (heads / kv_heads)
//     x += layer.attn_out * (the results of all heads, one after the other)
//     x += feed-forward block of (norm of x with ffn_norm)
//   logits = model.output * (norm of x with output_norm)
// Before the call, the cache holds the positions 0 .. position - 1. After it, also `position`. Each position
// has kv_heads * head_dim numbers in `keys` and as many in `values`: KV head 0 first, then KV head 1, and so
// on. kv_heads * head_dim is the stride of step 4. The small models of the checks have dim 8, 2 query heads,
// and 1 KV head of 4 numbers.
void my_token_pass(const PlainModel& model, std::int32_t token, int position, std::span<KeysValues> cache,
                   std::span<float> logits) {
  const auto dim = static_cast<std::size_t>(model.dim), head_dim = static_cast<std::size_t>(model.head_dim);
  const auto heads = static_cast<std::size_t>(model.heads),
             kv_heads = static_cast<std::size_t>(model.kv_heads);
  const int stride = model.kv_heads * model.head_dim;
  const float* row = model.embedding.data() + static_cast<std::size_t>(token) * dim;
  std::vector<float> x(row, row + dim), n(dim), added(dim);
  std::vector<float> q(heads * head_dim), k(kv_heads * head_dim), v(k.size()), mixed(q.size());
  const auto rotate_heads = [&](std::vector<float>& all) {
    for (std::size_t at = 0; at < all.size(); at += head_dim)
      my_rotate(model.radians, position, std::span(all).subspan(at, head_dim));
  };
  const auto add = [&] {
    for (std::size_t d = 0; d < dim; ++d) x[d] += added[d];
  };
  for (std::size_t i = 0; i < model.layers.size(); ++i) {
    const PlainLayer& layer = model.layers[i];
    my_norm(x, layer.attn_norm, model.norm_eps, n);
    my_product(layer.q, n, q);
    my_product(layer.k, n, k);
    my_product(layer.v, n, v);
    rotate_heads(q);
    rotate_heads(k);
    cache[i].keys.insert(cache[i].keys.end(), k.begin(), k.end());
    cache[i].values.insert(cache[i].values.end(), v.begin(), v.end());
    for (std::size_t h = 0; h < heads; ++h) {
      const std::size_t kv = h % kv_heads * head_dim;
      my_attention(std::span(q).subspan(h * head_dim, head_dim), cache[i].keys.data() + kv,
                   cache[i].values.data() + kv, stride, position + 1,
                   std::span(mixed).subspan(h * head_dim, head_dim));
    }
    my_product(layer.attn_out, mixed, added);
    add();
    my_norm(x, layer.ffn_norm, model.norm_eps, n);
    my_feed_forward(layer, n, added);
    add();
  }
  my_norm(x, model.output_norm, model.norm_eps, n);
  my_product(model.output, n, logits);
}

}  // namespace rung::one_token
