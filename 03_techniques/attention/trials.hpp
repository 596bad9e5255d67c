#pragma once
// The workloads that judge and time attention, open to the tests that look inside them.

#include <cstdint>
#include <string>
#include <vector>

#include "core/registry.hpp"
#include "seams/attention.hpp"

namespace rung::attention {

/// A shape. Every sequence is {query rows, context length}: {5, 5} is a prompt, {1, 9} a decode step,
/// {7, 30} a chunk whose first row stands at position 23. {4, 30, {-1, 0, 0}} is a decode step with a tree of
/// three drafts: the last three rows.
struct Case {
  std::string name;
  int heads, kv_heads, head_dim;
  struct Sequence {
    int queries, context;
    std::vector<std::int32_t> parents = {};  // of the nodes of the tree, as make_tree() takes them
  };
  std::vector<Sequence> sequences;
  float magnitude = 1;  // of q: the scores have about this standard deviation
  int gap = 0;          // elements between the rows of q and of out
  bool timed = false;
  int window = 0;     // as in AttentionConfig
  float softcap = 0;  // likewise
  DType kv_dtype = DType::f32;
  int block = 0;           // slots per block of the cache, a power of two; 0: contiguous
  bool one_block = false;  // all positions have the same one: what is left of the time is arithmetic
};

/// A case filled with numbers. Slots of the cache that no sequence owns hold NaN, in every format: all bits
/// set.
struct Workload {
  AttentionConfig config;  // with threads = 1
  Batch batch;
  std::vector<float> q;
  std::vector<std::byte> keys, values;
  Tensor q_rows;  // [tokens, heads * head_dim], into q
  KvView kv;      // into keys and values

  std::int64_t tokens() const { return static_cast<std::int64_t>(batch.positions.size()); }
  /// In which slot place p of a sequence lies, as Batch defines it.
  std::int64_t slot(const BatchSequence& s, int p) const {
    const auto entry = static_cast<std::size_t>(s.table_begin + p / kv.block_size);
    return std::int64_t{batch.block_table[entry]} * kv.block_size + p % kv.block_size;
  }
  /// The places of the keys that row j of a sequence sees, without a window, in order.
  std::vector<int> path(const BatchSequence& s, int j) const;
};

/// What the result should be, and how far from it float32 may end. [tokens, heads, head_dim]
struct Answer {
  std::vector<double> expected, tolerance;
  std::vector<double> lse, lse_tolerance;  // log-sum-exp, [tokens, heads]
  double largest_score = 0;                // magnitude
};

std::vector<Case> cases();
/// What a case is judged by: a timed one has as many heads as a model has, and a quarter of them shows the
/// same faults.
Case judged_part(Case shape);
Workload make_workload(const Case& shape);

/// Attention in float64, straight from the definition. mask_shift moves the causal mask by so many keys
/// (0 is right; the tests use 1 and -1 to show that the trials would notice), window_shift the window's edge.
Answer oracle(const Workload& work, int mask_shift = 0, int window_shift = 0);

/// All cases as trials of the ladder's rungs. The ladder must outlive them.
std::vector<Trial> trials(const Ladder<Attention>& ladder);

}  // namespace rung::attention
