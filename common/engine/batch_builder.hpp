#pragma once
// Builds the batch of a step: which tokens of which sequence this step computes.

#include <cstdint>
#include <span>

#include "seams/batch.hpp"
#include "seams/kv_cache.hpp"

namespace rung {

/// Appends tokens [begin, begin + count) of a sequence to `batch`. The tokens before `begin` are already in
/// the cache, and the cache must have grown to begin + count. The last `outputs` of these rows get logits: 1
/// if the step samples the next token, 0 for a chunk inside the prompt.
template <class TokenAt>
void append_rows(Batch& batch, const KvCache& cache, int kv, int begin, int count, int outputs,
                 TokenAt token_at) {
  const auto table = cache.block_table(kv);
  BatchSequence sequence;
  sequence.query_begin = static_cast<std::int32_t>(batch.tokens.size());
  sequence.query_count = count;
  sequence.context_length = cache.place(kv, begin, count, batch.positions, batch.slots);
  sequence.table_begin = static_cast<std::int32_t>(batch.block_table.size());
  sequence.table_count = static_cast<std::int32_t>(table.size());
  batch.sequences.push_back(sequence);
  batch.block_table.insert(batch.block_table.end(), table.begin(), table.end());
  for (int p = begin; p < begin + count; ++p) {
    if (p >= begin + count - outputs)
      batch.output_rows.push_back(static_cast<std::int32_t>(batch.tokens.size()));
    batch.tokens.push_back(token_at(p));
  }
}

/// Does the same for a sequence whose last tokens are the drafts of a tree. `parents` describes the tree as
/// make_tree() requires it. Token begin + count - parents.size() + i is node i. Each node has its own place
/// in the cache, so the cache must have grown to begin + count here too.
template <class TokenAt>
void append_tree_rows(Batch& batch, const KvCache& cache, int kv, int begin, int count, int outputs,
                      std::span<const std::int32_t> parents, TokenAt token_at) {
  append_rows(batch, cache, kv, begin, count, outputs, token_at);
  make_tree(batch, parents);
}

}  // namespace rung
