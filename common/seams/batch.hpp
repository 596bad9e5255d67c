#pragma once
// The one batch: what a forward pass works on.
//
// It is ragged: the tokens of all sequences stand in one row after the other, and each sequence says
// which of them are its own. A prompt chunk is a sequence with many query tokens, a decode step one
// with a single token, a speculative verification one with a few; the forward pass cannot tell.
//
// The drafts of a speculative verification may be a tree: several guesses for the next token, several for the
// token behind each of them, and so on. One forward pass computes all of them (SpecInfer, Miao et al. 2023,
// arXiv 2305.09781). Each node lies in the cache at a place of its own, and a mask says which nodes it sees.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace rung {

/// The most nodes that the tree of one sequence may have: one for each bit of its masks.
inline constexpr int kMaxTreeNodes = 64;

/// One sequence's share of a batch.
struct BatchSequence {
  std::int32_t query_begin = 0;     // its first row in Batch::tokens
  std::int32_t query_count = 0;     // how many rows it has; >= 1
  std::int32_t context_length = 0;  // tokens it can see after this step: cached ones + query_count
  std::int32_t table_begin = 0;     // its block table is block_table[table_begin .. + table_count)
  std::int32_t table_count = 0;
  std::int32_t drafts = 0;  // how many of its last rows may be nodes of a tree; at most kMaxTreeNodes
};

// Query row j of a sequence lies at place context_length - query_count + j of the cache and sees the keys at
// places 0 .. its own. The key at place p lies in slot
//   block_table[table_begin + p / block_size] * block_size + p % block_size
// of the KV cache; the batch and the cache's view agree on block_size.
//
// A node of a tree sees less. The last `drafts` rows of its sequence are draft nodes 0, 1, ..., which lie at
// places base, base + 1, ... with base = context_length - drafts. A node with a mask sees, in this order, the
// keys at places 0 .. base - 1, then those of the nodes in its mask, ascending, and so its own key last. That
// is the order of its path, because a node stands behind its parent. So a node at depth d (1 for a node
// behind the last committed token) sees base + d keys, as the last token of a chain of that length does.
struct Batch {
  std::vector<std::int32_t> tokens;       // [tokens] token ids
  std::vector<std::int32_t> positions;    // [tokens] position of each token in its own sequence, or its path
  std::vector<std::int32_t> slots;        // [tokens] slot mapping: where each token's K and V are written
  std::vector<BatchSequence> sequences;   // in order of query_begin, without gaps
  std::vector<std::int32_t> block_table;  // all sequences' tables, one after the other
  std::vector<std::int32_t> output_rows;  // rows of `tokens` whose logits are wanted, ascending
  // [tokens] masks of the rows: bit j says that draft node j of its own sequence is visible. A node's mask
  // has its own bit and those of its ancestors. Zero: the row sees every place up to its own. May be shorter
  // than `tokens`, or empty: the rows beyond its end have masks of zero.
  std::vector<std::uint64_t> ancestors;

  std::uint64_t ancestors_of(std::size_t row) const { return row < ancestors.size() ? ancestors[row] : 0; }

  void clear() {
    tokens.clear();
    positions.clear();
    slots.clear();
    sequences.clear();
    block_table.clear();
    output_rows.clear();
    ancestors.clear();
  }
};

/// Makes the last parents.size() rows of the batch's last sequence the nodes of a tree: sets their masks and
/// positions. parents[i] is the node before node i, less than i; -1: node i follows the last token that is no
/// draft. Call it after the sequence's rows were appended as a chain. Throws Error when the tree has more
/// nodes than kMaxTreeNodes or than the sequence has rows, or when a parent does not come before its node.
void make_tree(Batch& batch, std::span<const std::int32_t> parents);

/// Throws Error unless the drafts of every sequence fit its rows and kMaxTreeNodes, and masks are those of a
/// tree: a node sees itself, and its parent with all that the parent sees. Allocates nothing.
void check_trees(const Batch& batch);

}  // namespace rung
