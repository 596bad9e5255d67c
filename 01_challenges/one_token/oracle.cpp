#include "oracle.hpp"

#include <algorithm>
#include <cmath>

namespace rung::one_token::oracle {
namespace {

Numbers part(const Numbers& x, int begin, int count) {
  return {x.begin() + begin, x.begin() + begin + count};
}

double dot(const Numbers& a, const Numbers& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

void rotate_heads(const PlainModel& model, int position, Numbers& heads) {
  for (std::size_t at = 0; at < heads.size(); at += static_cast<std::size_t>(model.head_dim)) {
    const Numbers head = rotated(model.radians, position, part(heads, static_cast<int>(at), model.head_dim));
    std::copy(head.begin(), head.end(), heads.begin() + static_cast<std::ptrdiff_t>(at));
  }
}

}  // namespace

Numbers norm(const Numbers& x, std::span<const float> weight, double eps) {
  const double mean_square = dot(x, x) / static_cast<double>(x.size());
  Numbers out(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) out[i] = x[i] / std::sqrt(mean_square + eps) * weight[i];
  return out;
}

Numbers product(std::span<const float> matrix, const Numbers& x) {
  Numbers out(matrix.size() / x.size());
  for (std::size_t r = 0; r < out.size(); ++r) {
    for (std::size_t c = 0; c < x.size(); ++c) out[r] += matrix[r * x.size() + c] * x[c];
  }
  return out;
}

Numbers rotated(std::span<const double> radians, int position, Numbers head) {
  for (std::size_t i = 0; i < radians.size(); ++i) {
    const double angle = position * radians[i], a = head[2 * i], b = head[2 * i + 1];
    head[2 * i] = a * std::cos(angle) - b * std::sin(angle);
    head[2 * i + 1] = a * std::sin(angle) + b * std::cos(angle);
  }
  return head;
}

Numbers attention(const Numbers& query, const std::vector<Numbers>& keys,
                  const std::vector<Numbers>& values) {
  Numbers scores;
  for (const Numbers& key : keys)
    scores.push_back(dot(query, key) / std::sqrt(static_cast<double>(query.size())));
  const double largest = *std::max_element(scores.begin(), scores.end());
  double sum = 0;
  for (double& score : scores) sum += score = std::exp(score - largest);
  Numbers out(values.front().size());
  for (std::size_t p = 0; p < values.size(); ++p) {
    for (std::size_t d = 0; d < out.size(); ++d) out[d] += scores[p] / sum * values[p][d];
  }
  return out;
}

Numbers feed_forward(const PlainLayer& layer, const Numbers& x) {
  Numbers hidden = product(layer.gate, x);
  const Numbers up = product(layer.up, x);
  for (std::size_t i = 0; i < hidden.size(); ++i) hidden[i] = hidden[i] / (1 + std::exp(-hidden[i])) * up[i];
  return product(layer.down, hidden);
}

Numbers logits(const PlainModel& model, std::span<const std::int32_t> text) {
  const auto dim = static_cast<std::size_t>(model.dim);
  std::vector<std::vector<Numbers>> keys(model.layers.size()), values(model.layers.size());
  Numbers x;
  for (std::size_t position = 0; position < text.size(); ++position) {
    const float* row = model.embedding.data() + static_cast<std::size_t>(text[position]) * dim;
    x.assign(row, row + dim);
    for (std::size_t i = 0; i < model.layers.size(); ++i) {
      const PlainLayer& layer = model.layers[i];
      const Numbers n = norm(x, layer.attn_norm, static_cast<double>(model.norm_eps));
      Numbers q = product(layer.q, n), k = product(layer.k, n), mixed;
      rotate_heads(model, static_cast<int>(position), q);
      rotate_heads(model, static_cast<int>(position), k);
      keys[i].push_back(k);
      values[i].push_back(product(layer.v, n));
      for (int head = 0; head < model.heads; ++head) {
        const int at = head / (model.heads / model.kv_heads) * model.head_dim;
        std::vector<Numbers> head_keys, head_values;
        for (const Numbers& key : keys[i]) head_keys.push_back(part(key, at, model.head_dim));
        for (const Numbers& value : values[i]) head_values.push_back(part(value, at, model.head_dim));
        const Numbers out = attention(part(q, head * model.head_dim, model.head_dim), head_keys, head_values);
        mixed.insert(mixed.end(), out.begin(), out.end());
      }
      const Numbers attended = product(layer.attn_out, mixed);
      for (std::size_t d = 0; d < dim; ++d) x[d] += attended[d];
      const Numbers fed = feed_forward(layer, norm(x, layer.ffn_norm, static_cast<double>(model.norm_eps)));
      for (std::size_t d = 0; d < dim; ++d) x[d] += fed[d];
    }
  }
  return product(model.output, norm(x, model.output_norm, static_cast<double>(model.norm_eps)));
}

}  // namespace rung::one_token::oracle
