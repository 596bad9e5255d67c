// The pass of one token in matrix notation, with Eigen. Read it beside common/engine/transformer.cpp, which
// has the same lines for many tokens of many texts at once.

#include <cmath>
#include <Eigen/Dense>

#include "one_token.hpp"

namespace rung::one_token {
namespace {

using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Vector = Eigen::VectorXf;

Eigen::Map<const Matrix> matrix(const std::vector<float>& numbers, Eigen::Index rows) {
  return {numbers.data(), rows, rows == 0 ? 0 : static_cast<Eigen::Index>(numbers.size()) / rows};
}

Eigen::Map<const Vector> vector(const std::vector<float>& numbers) {
  return {numbers.data(), static_cast<Eigen::Index>(numbers.size())};
}

/// Scales x so that its mean square is 1, and then each number by its weight.
Vector norm(const Vector& x, const std::vector<float>& weight, float eps) {
  const float scale = 1.0f / std::sqrt(x.squaredNorm() / static_cast<float>(x.size()) + eps);
  return x.cwiseProduct(vector(weight)) * scale;
}

/// Rotates the pairs (0, 1), (2, 3), ... of every head by angles in proportion to the position.
void rotate(const PlainModel& model, int position, Vector& heads) {
  for (Eigen::Index i = 0; i < heads.size(); i += 2) {
    const double angle = position * model.radians[static_cast<std::size_t>(i % model.head_dim / 2)];
    const auto c = static_cast<float>(std::cos(angle)), s = static_cast<float>(std::sin(angle));
    const float a = heads[i], b = heads[i + 1];
    heads[i] = a * c - b * s;
    heads[i + 1] = a * s + b * c;
  }
}

void append(std::vector<float>& to, const Vector& numbers) {
  to.insert(to.end(), numbers.data(), numbers.data() + numbers.size());
}

/// Lets every query head read the keys and values of its KV head.
Vector attention(const PlainModel& model, const Vector& q, const KeysValues& cache, int positions) {
  const auto keys = matrix(cache.keys, positions), values = matrix(cache.values, positions);
  const float scale = 1.0f / std::sqrt(static_cast<float>(model.head_dim));
  Vector out(q.size());
  for (int head = 0; head < model.heads; ++head) {
    const int at = head * model.head_dim, kv = head / (model.heads / model.kv_heads) * model.head_dim;
    const Vector scores = keys.middleCols(kv, model.head_dim) * q.segment(at, model.head_dim) * scale;
    Vector weights = (scores.array() - scores.maxCoeff()).exp();
    weights /= weights.sum();
    out.segment(at, model.head_dim) = values.middleCols(kv, model.head_dim).transpose() * weights;
  }
  return out;
}

Vector feed_forward(const PlainModel& model, const PlainLayer& layer, const Vector& x) {
  const Vector gate = matrix(layer.gate, model.ffn_dim) * x;
  const Vector up = matrix(layer.up, model.ffn_dim) * x;
  const Vector hidden = gate.array() / (1.0f + (-gate.array()).exp()) * up.array();  // SiLU(gate) * up
  return matrix(layer.down, model.dim) * hidden;
}

}  // namespace

void token_pass(const PlainModel& model, std::int32_t token, int position, std::span<KeysValues> cache,
                std::span<float> logits) {
  const int q_width = model.heads * model.head_dim, kv_width = model.kv_heads * model.head_dim;
  Vector x = matrix(model.embedding, model.vocab).row(token);  // the residual stream
  for (std::size_t i = 0; i < model.layers.size(); ++i) {
    const PlainLayer& layer = model.layers[i];
    const Vector n = norm(x, layer.attn_norm, model.norm_eps);
    Vector q = matrix(layer.q, q_width) * n;
    Vector k = matrix(layer.k, kv_width) * n;
    const Vector v = matrix(layer.v, kv_width) * n;
    rotate(model, position, q);
    rotate(model, position, k);
    append(cache[i].keys, k);
    append(cache[i].values, v);
    x += matrix(layer.attn_out, model.dim) * attention(model, q, cache[i], position + 1);
    x += feed_forward(model, layer, norm(x, layer.ffn_norm, model.norm_eps));
  }
  Eigen::Map<Vector>(logits.data(), model.vocab) =
      matrix(model.output, model.vocab) * norm(x, model.output_norm, model.norm_eps);
}

}  // namespace rung::one_token
