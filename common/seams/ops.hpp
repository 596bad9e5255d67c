#pragma once
// Seam `ops`: the stateless operations between the products, as a table of function pointers.
//
// A table belongs to one device. All tensors are f32 [tokens, n] with possibly strided rows unless
// said otherwise; a row's result depends on that row alone. Nothing here knows batches or the cache.

#include <string>
#include <string_view>

#include "core/tensor.hpp"
#include "seams/kv_cache.hpp"

namespace rung {

/// Which elements of a head form a rotated pair (Su et al. 2021, arXiv 2104.09864).
enum class RopeStyle {
  interleaved,  // (0, 1), (2, 3), ...: the paper, GGUF's llama
  half,         // (0, d/2), (1, d/2 + 1), ...: Hugging Face
};

struct RopeParams {
  int head_dim = 0;
  int rotary_dim = 0;  // the first rotary_dim elements of a head are rotated
  RopeStyle style = RopeStyle::interleaved;
  Tensor cos, sin;  // [max_positions, rotary_dim / 2] on the ops' device
};

struct Ops {
  std::string_view name;
  int threads = 1;

  /// y[t] = row tokens[t] of table, converted to f32. tokens [1, tokens] i32; table [vocab, dim] any dtype.
  void (*embed)(const Tensor& table, const Tensor& tokens, const Tensor& y, int threads);
  /// y = x / sqrt(mean(x^2) + eps) * weight. weight [1, dim] f32. (Zhang, Sennrich 2019, 1910.07467)
  void (*rmsnorm)(const Tensor& x, const Tensor& weight, float eps, const Tensor& y, int threads);
  /// Rotates every head of x [tokens, heads * head_dim] in place. positions [1, tokens] i32.
  void (*rope)(const Tensor& x, const Tensor& positions, const RopeParams& rope, int threads);
  /// Writes row t of k and v [tokens, kv_heads * head_dim] to slot slots[t] of the cache, in its dtype.
  void (*store_kv)(const Tensor& k, const Tensor& v, const Tensor& slots, const KvView& kv, int threads);
  /// x += y.
  void (*add)(const Tensor& x, const Tensor& y, int threads);
  /// h = silu(gate) * up, where gate_up [tokens, 2 * ffn] holds gate then up; h [tokens, ffn].
  void (*silu_mul)(const Tensor& gate_up, const Tensor& h, int threads);
  /// y[i] = x[rows[i]]. rows [1, n] i32.
  void (*gather)(const Tensor& x, const Tensor& rows, const Tensor& y, int threads);
};

}  // namespace rung
