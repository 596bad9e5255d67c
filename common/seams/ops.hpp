#pragma once
// Seam `ops`: the stateless operations between the products, as a table of functions.
//
// A table belongs to one device and one number of threads. A rung may replace some entries, for example by a
// fused or a vectorized version. Unless a comment says otherwise, all tensors are f32 [tokens, n], their rows
// may be strided, and an output overlaps no input. A row's result depends on that row alone. The operations
// do not know batches.
//
// Two entries, add_norm and rope_store, combine operations that follow each other in every layer. A table
// without a fused implementation composes them from its other entries (ops/composed_steps.hpp).

#include <functional>
#include <string>

#include "core/tensor.hpp"
#include "model/model_config.hpp"
#include "seams/kv_cache.hpp"

namespace rung {

/// The angles of a rotary position embedding (RoPE, Su et al. 2021, arXiv 2104.09864), computed once.
struct RopeTables {
  int head_dim = 0;
  int rotary_dim = 0;  // the first rotary_dim elements of a head are rotated
  RopePairs pairs = RopePairs::interleaved;
  Tensor cos, sin;  // [max_positions, rotary_dim / 2] f32 on the ops' device, scaled by RoPE's magnitude
};

/// A norm of a model. If it has no weight, the model has no norm at this place.
struct Norm {
  Tensor weight;  // [1, n] f32 on the ops' device
  Tensor bias;    // [1, n] f32, only for layer norms; may be empty
  NormKind kind = NormKind::rms;
  float eps = 1e-5f;

  bool empty() const { return weight.empty(); }
};

struct Ops {
  std::string name;  // "cpu"

  /// y[t] = row tokens[t] of table, converted to f32. tokens [1, tokens] i32; table [vocab, dim] of any
  /// dtype.
  std::function<void(const Tensor& table, const Tensor& tokens, const Tensor& y)> embed;
  /// y = x / sqrt(mean(x^2) + eps) * weight, for each group of weight.cols columns separately. A group is a
  /// whole row or one head. weight [1, n] f32, where n divides the columns of x; y may be x.
  /// (Zhang, Sennrich 2019, arXiv 1910.07467)
  std::function<void(const Tensor& x, const Tensor& weight, float eps, const Tensor& y)> rmsnorm;
  /// y = (x - mean) / sqrt(variance + eps) * weight + bias, for each row. bias may be empty; y may be x.
  /// (Ba, Kiros, Hinton 2016, arXiv 1607.06450)
  std::function<void(const Tensor& x, const Tensor& weight, const Tensor& bias, float eps, const Tensor& y)>
      layernorm;
  /// Rotates each head of x [tokens, heads * head_dim] in place. positions [1, tokens] i32.
  std::function<void(const Tensor& x, const Tensor& positions, const RopeTables& rope)> rope;
  /// Writes row t of k and v [tokens, kv_heads * head_dim] to slot slots[t] of the cache, in its dtype.
  std::function<void(const Tensor& k, const Tensor& v, const Tensor& slots, const KvView& kv)> store_kv;
  /// x += scale * y.
  std::function<void(const Tensor& y, float scale, const Tensor& x)> add;
  /// Adds the row `bias` [1, n] f32 to every row of x.
  std::function<void(const Tensor& bias, const Tensor& x)> add_row;
  /// x *= scale.
  std::function<void(float scale, const Tensor& x)> scale;
  /// x = cap * tanh(x / cap).
  std::function<void(float cap, const Tensor& x)> softcap;
  /// h = act(gate) * up, if `in` is [tokens, 2 * ffn] with gate before up; h = act(in), if `in` is [tokens,
  /// ffn]. h [tokens, ffn].
  std::function<void(const Tensor& in, Activation activation, const Tensor& h)> activate;
  /// y[i] = x[rows[i]]. rows [1, n] i32.
  std::function<void(const Tensor& x, const Tensor& rows, const Tensor& y)> gather;
  /// y[t] = sum over r of weights[t][r] * x[rows[t][r]], added in the order of r. rows [tokens, n] i32 and
  /// weights [tokens, n] f32, both without gaps between rows.
  std::function<void(const Tensor& x, const Tensor& rows, const Tensor& weights, const Tensor& y)> combine;

  /// Adds scale * y to x, and then writes the norm of x to `to`. Returns `to`, or x if `norm` is empty. x, y,
  /// to [tokens, dim].
  std::function<Tensor(const Tensor& y, float scale, const Tensor& x, const Norm& norm, const Tensor& to)>
      add_norm;
  /// Rotates q in place, and writes the rotated k and the unchanged v to their slots. Afterwards, the content
  /// of k is undefined. q [tokens, heads * head_dim], k and v [tokens, kv_heads * head_dim]; positions and
  /// slots [1, tokens] i32. If `rope` is null, nothing is rotated.
  std::function<void(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& positions,
                     const RopeTables* rope, const Tensor& slots, const KvView& kv)>
      rope_store;

  /// For reports: whether add_norm and rope_store make a single pass over each row for these arguments.
  std::function<bool(const Norm& norm)> fuses_add_norm;
  std::function<bool(const RopeTables* rope)> fuses_rope_store;
};

}  // namespace rung
