#pragma once
// What the rungs of this ladder share: the arguments of one call, addressed one row at a time, and the
// names of the rungs. naive, online_softmax and mine are plain functions void(const Call&). flash plans its
// tiles, so it is a class of its own.

#include <algorithm>
#include <bit>
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

/// Maps the positions of a sequence to slots of the KV cache: a block table (PagedAttention, Kwon et al.
/// 2023, arXiv 2309.06180). The number of slots per block is a power of two, so a shift and a mask replace
/// the division. A contiguous sequence has a table of one endless block that begins at its first slot.
struct KvTable {
  const std::int32_t* blocks;
  int shift;          // a block has 2^shift slots
  std::int64_t base;  // slots before slot 0 of block 0

  std::int64_t slot(int position) const {
    const std::int64_t block = blocks[position >> shift];
    return base + (block << shift) + (position & ((1 << shift) - 1));
  }
};

/// One query row of one head: everything that its result may depend on. Key 0 is the first key that the row
/// may see: the one at position 0 or, with a window, at the oldest position inside it.
struct HeadRow {
  const float* q;           // [head_dim]
  const std::byte* keys;    // the key of the row's KV head in slot 0
  const std::byte* values;  // the value of the row's KV head in slot 0
  std::size_t key_stride;   // bytes from one slot to the next
  std::size_t value_stride;
  KvTable table;
  int first;   // position of key 0
  DType type;  // of keys and values
  int head_dim;
  float* widened;  // [2, head_dim]: float32 copies of a key and a value that are stored in another format
  int visible;     // >= 1; the row sees keys and values 0 .. visible - 1, of which the last is its own
  float* out;      // [head_dim]
  float* lse;      // receives ln of the sum of exp(score); null if not requested
  float scale;     // of q . k
  float softcap;   // 0: off

  /// Returns [head_dim], valid until the next call of key().
  const float* key(int p) const { return read(keys + slot(p) * key_stride, widened); }
  /// Returns [head_dim], valid until the next call of value().
  const float* value(int p) const { return read(values + slot(p) * value_stride, widened + head_dim); }
  std::size_t slot(int p) const { return static_cast<std::size_t>(table.slot(first + p)); }
  const float* read(const std::byte* from, float* to) const {
    if (type == DType::f32) return reinterpret_cast<const float*>(from);
    traits(type).to_float(from, to, head_dim);
    return to;
  }
  /// Returns the score of a key, given its product with q.
  float score(float product) const {
    const float s = scale * product;
    return softcap > 0 ? softcap * std::tanh(s / softcap) : s;
  }
};

/// Which keys a token of the batch sees. plan_tokens() computes it once per step.
struct TokenPlan {
  std::int32_t table;    // index in Batch::block_table at which the block table of its sequence begins
  std::int32_t visible;  // number of keys that it sees without a window: its position + 1
  // A node of a tree sees the keys at places 0 .. base - 1 and at base + j for each bit j of the mask, in
  // this order (see Batch). If the mask is zero, the token sees the keys at places 0 .. visible - 1.
  std::int32_t base = 0;
  std::uint64_t ancestors = 0;
};

/// One call of a rung: softmax(q k^T * scale) v for every row of q and every head.
struct Call {
  const AttentionConfig& config;
  std::span<const TokenPlan> plan;  // [tokens]
  const std::int32_t* blocks;       // Batch::block_table
  const Tensor& q;                  // [tokens, heads * head_dim]
  const KvView& kv;                 // [slots, kv_heads * head_dim], twice
  const Tensor& out;                // [tokens, heads * head_dim]
  const Tensor& lse;                // [tokens, heads], or empty
  std::span<float> scratch_memory;  // [threads, scratch_floats(config)]
  std::int32_t* tables;             // [threads, max_context]: block tables for the nodes of trees

  std::int64_t tokens() const { return static_cast<std::int64_t>(plan.size()); }

  /// Query head `head` reads KV head head / (heads / kv_heads). If the row is a node of a tree, it is valid
  /// until the calling thread calls row() again.
  HeadRow row(std::int64_t token, int head) const {
    const int visible = plan[static_cast<std::size_t>(token)].visible;
    const int first = config.window > 0 ? std::max(0, visible - config.window) : 0;
    HeadRow row = whole_past(token, head, first, visible);
    row.first = first;
    row.visible -= first;
    return row;
  }

  /// The same row without the window, so that key 0 is position 0. The caller may read keys begin .. end - 1.
  HeadRow whole_past(std::int64_t token, int head, int begin, int end) const {
    const TokenPlan& look = plan[static_cast<std::size_t>(token)];
    const int kv_head = head / (config.heads / config.kv_heads);
    const DType type = config.kv_dtype;
    const std::size_t column = bytes_of(type, std::int64_t{kv_head} * config.head_dim);
    const KvTable table = table_at(blocks + look.table, kv);
    return {.q = q.ptr<float>(token) + head * config.head_dim,
            .keys = kv.keys.ptr<std::byte>(0) + column,
            .values = kv.values.ptr<std::byte>(0) + column,
            .key_stride = bytes_of(type, kv.keys.stride),
            .value_stride = bytes_of(type, kv.values.stride),
            .table = look.ancestors == 0 ? table : path_table(look, table, begin, end),
            .first = 0,
            .type = type,
            .head_dim = config.head_dim,
            .widened = scratch_memory.empty() ? nullptr : scratch() + config.max_context,
            .visible = look.visible,
            .out = out.ptr<float>(token) + head * config.head_dim,
            .lse = lse.empty() ? nullptr : lse.ptr<float>(token) + head,
            .scale = config.scale,
            .softcap = config.softcap};
  }

  /// Builds a block table for a node of a tree, with one slot per block, in the order of its path. Code that
  /// reads keys through a table then works for trees too. Fills the entries begin .. end - 1.
  KvTable path_table(const TokenPlan& node, const KvTable& places, int begin, int end) const {
    std::int32_t* slots = tables + static_cast<std::int64_t>(thread_index()) * config.max_context;
    for (int p = begin; p < std::min(node.base, end); ++p) {
      slots[p] = static_cast<std::int32_t>(places.slot(p));
    }
    std::uint64_t left = node.ancestors;
    for (int p = node.base; p < end; ++p, left &= left - 1) {
      if (p >= begin) slots[p] = static_cast<std::int32_t>(places.slot(node.base + std::countr_zero(left)));
    }
    return {slots, 0, 0};
  }

  static KvTable table_at(const std::int32_t* table, const KvView& kv) {
    static constexpr std::int32_t kEndless = 0;
    if (kv.contiguous) return {&kEndless, 30, std::int64_t{*table} * kv.block_size};
    return {table, std::countr_zero(static_cast<std::uint32_t>(kv.block_size)), 0};
  }

  /// The calling thread's own memory: max_context scores, then the widened key and value.
  float* scratch() const {
    return scratch_memory.data() + static_cast<std::int64_t>(thread_index()) * scratch_floats(config);
  }
  /// Floats of scratch memory per thread: the scores, a key and a value.
  static std::int64_t scratch_floats(const AttentionConfig& config) {
    return config.max_context + 2 * std::int64_t{config.head_dim};
  }
};

void naive(const Call& call);
/// Writes only the log-sum-exp, for a rung that does not write it.
void log_sum_exp(const Call& call);
void online_softmax(const Call& call);
void mine(const Call& call);
/// The sums start anew after every `chunk` keys, so that free threads can compute the chunks separately. With
/// chunk = 0 they never do.
std::unique_ptr<Attention> make_flash(const AttentionConfig& config, int chunk);
std::unique_ptr<Attention> make_split_kv(const AttentionConfig& config);

/// Throws Error for impossible configurations (no heads, heads that are not a multiple of kv_heads, ...).
void check_config(const AttentionConfig& config);
/// Returns whether K and V can be stored in config.kv_dtype: a head must consist of whole blocks.
bool reads_kv(const AttentionConfig& config);
/// Throws Error unless K and V are rows of config.kv_dtype and the slots per block are a power of two.
void check_view(const AttentionConfig& config, const KvView& kv);
/// Returns the number of entries of Call::tables.
std::size_t table_entries(const AttentionConfig& config);
/// Returns the bytes of `memory` that are not a region of config.place.scratch.
std::size_t own_bytes(const AttentionConfig& config, const ScratchMemory& memory);
/// Fills plan[token] for every token of the batch. Throws Error if a context exceeds max_context, if the rows
/// exceed max_tokens, or if the masks do not describe trees.
void plan_tokens(const AttentionConfig& config, const Batch& batch, std::vector<TokenPlan>& plan);

/// y[i] = 2^x[i] as flash computes it, for x <= 0: within 2 ulp, and 0 below 2^-126. Declared for its test.
void exp2_of(const float* x, float* y, std::int64_t n);

void register_rungs(Registry& registry);

}  // namespace rung::attention
