#pragma once
// The one batch: what a forward pass works on.
//
// It is ragged: the tokens of all sequences stand in one row after the other, and each sequence says
// which of them are its own. A prompt chunk is a sequence with many query tokens, a decode step one
// with a single token, a speculative verification one with a few; the forward pass cannot tell.

#include <cstdint>
#include <vector>

namespace rung {

/// One sequence's share of a batch.
struct BatchSequence {
  std::int32_t query_begin = 0;     // its first row in Batch::tokens
  std::int32_t query_count = 0;     // how many rows it has; >= 1
  std::int32_t context_length = 0;  // tokens it can see after this step: cached ones + query_count
  std::int32_t table_begin = 0;     // its block table is block_table[table_begin .. + table_count)
  std::int32_t table_count = 0;
};

// Query row j of a sequence stands at position context_length - query_count + j and sees the keys at
// positions 0 .. that position. The key at position p lies in slot
//   block_table[table_begin + p / block_size] * block_size + p % block_size
// of the KV cache; the batch and the cache's view agree on block_size.
struct Batch {
  std::vector<std::int32_t> tokens;       // [tokens] token ids
  std::vector<std::int32_t> positions;    // [tokens] position of each token in its own sequence
  std::vector<std::int32_t> slots;        // [tokens] slot mapping: where each token's K and V are written
  std::vector<BatchSequence> sequences;   // in order of query_begin, without gaps
  std::vector<std::int32_t> block_table;  // all sequences' tables, one after the other
  std::vector<std::int32_t> output_rows;  // rows of `tokens` whose logits are wanted, ascending

  void clear() {
    tokens.clear();
    positions.clear();
    slots.clear();
    sequences.clear();
    block_table.clear();
    output_rows.clear();
  }
};

}  // namespace rung
