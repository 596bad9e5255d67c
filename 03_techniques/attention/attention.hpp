#pragma once
// What the rungs of this ladder share: the arguments of one call, addressed one row at a time, and the
// names of the rungs. A rung is a plain function void(const Call&) where it can be one (naive,
// online_softmax, mine); flash plans its tiles and is a class of its own.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/error.hpp"
#include "core/parallel.hpp"
#include "core/registry.hpp"
#include "seams/attention.hpp"

namespace rung::attention {

/// One query row of one head: everything that its result may depend on. Key 0 is the first one that the
/// row may see: position 0, or with a window the oldest position inside it.
struct HeadRow {
  const float* q;           // [head_dim]
  const std::byte* keys;    // key 0
  const std::byte* values;  // value 0
  std::size_t key_stride;   // bytes from one position to the next
  std::size_t value_stride;
  DType type;  // of keys and values
  int head_dim;
  float* widened;  // [2, head_dim]: where a key and a value stand that are not stored in float32
  int visible;     // keys and values 0 .. visible - 1, the last one is the row's own; >= 1
  float* out;      // [head_dim]
  float scale;     // of q . k
  float softcap;   // 0: off

  /// [head_dim], until the next key is asked for.
  const float* key(int p) const { return read(keys + static_cast<std::size_t>(p) * key_stride, widened); }
  /// [head_dim], until the next value is asked for.
  const float* value(int p) const {
    return read(values + static_cast<std::size_t>(p) * value_stride, widened + head_dim);
  }
  const float* read(const std::byte* from, float* to) const {
    if (type == DType::f32) return reinterpret_cast<const float*>(from);
    traits(type).to_float(from, to, head_dim);
    return to;
  }
  /// The score of a key, from its product with q.
  float score(float product) const {
    const float s = scale * product;
    return softcap > 0 ? softcap * std::tanh(s / softcap) : s;
  }
};

/// Where a token of the batch looks: found once per step by plan_tokens().
struct TokenPlan {
  std::int32_t block;    // its sequence's only block in the KV cache
  std::int32_t visible;  // its position + 1
};

/// One call of a rung: softmax(q k^T * scale) v for every row of q and every head.
struct Call {
  const AttentionConfig& config;
  std::span<const TokenPlan> plan;  // [tokens]
  const Tensor& q;                  // [tokens, heads * head_dim]
  const KvView& kv;                 // [slots, kv_heads * head_dim], twice
  const Tensor& out;                // [tokens, heads * head_dim]
  std::span<float> scratch_memory;  // [threads, scratch_floats(config)]

  std::int64_t tokens() const { return static_cast<std::int64_t>(plan.size()); }

  /// Query head `head` reads KV head head / (heads / kv_heads).
  HeadRow row(std::int64_t token, int head) const {
    HeadRow row = whole_past(token, head);
    if (config.window > 0) {
      const int hidden = std::max(0, row.visible - config.window);
      row.keys += static_cast<std::size_t>(hidden) * row.key_stride;
      row.values += static_cast<std::size_t>(hidden) * row.value_stride;
      row.visible -= hidden;
    }
    return row;
  }

  /// The same without the window: key 0 is position 0.
  HeadRow whole_past(std::int64_t token, int head) const {
    const auto& [block, visible] = plan[static_cast<std::size_t>(token)];
    const std::int64_t slot = std::int64_t{block} * kv.block_size;
    const int kv_head = head / (config.heads / config.kv_heads);
    const DType type = config.kv_dtype;
    const std::size_t column = bytes_of(type, std::int64_t{kv_head} * config.head_dim);
    return {q.ptr<float>(token) + head * config.head_dim,
            kv.keys.ptr<std::byte>(slot) + column,
            kv.values.ptr<std::byte>(slot) + column,
            bytes_of(type, kv.keys.stride),
            bytes_of(type, kv.values.stride),
            type,
            config.head_dim,
            scratch_memory.empty() ? nullptr : scratch() + config.max_context,
            visible,
            out.ptr<float>(token) + head * config.head_dim,
            config.scale,
            config.softcap};
  }

  /// The calling thread's own memory: max_context scores, then what key() and value() widen into.
  float* scratch() const {
    return scratch_memory.data() + static_cast<std::int64_t>(thread_index()) * scratch_floats(config);
  }
  /// Of one thread: scores, a key and a value.
  static std::int64_t scratch_floats(const AttentionConfig& config) {
    return config.max_context + 2 * std::int64_t{config.head_dim};
  }
};

void naive(const Call& call);
void online_softmax(const Call& call);
void mine(const Call& call);
/// chunk: keys after which the sums begin anew, to be computed apart where threads are free; 0: never.
std::unique_ptr<Attention> make_flash(const AttentionConfig& config, int chunk);
std::unique_ptr<Attention> make_split_kv(const AttentionConfig& config);

/// Throws Error for numbers that cannot be (no heads, heads that kv_heads does not divide, ...).
void check_config(const AttentionConfig& config);
/// Whether K and V can be kept in that format: a head must be whole blocks of it.
bool reads_kv(const AttentionConfig& config);
/// Throws Error unless every sequence's K and V are rows of config.kv_dtype in one block.
void check_view(const AttentionConfig& config, const KvView& kv);
/// Fills plan[token] for every token of the batch; throws Error when a context exceeds max_context.
void plan_tokens(const AttentionConfig& config, const Batch& batch, std::vector<TokenPlan>& plan);

/// y[i] = 2^x[i] as flash computes it, for x <= 0: within 2 ulp, and 0 below 2^-126. Here for its test.
void exp2_of(const float* x, float* y, std::int64_t n);

void register_rungs(Registry& registry);

}  // namespace rung::attention
