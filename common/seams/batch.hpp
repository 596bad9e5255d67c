#pragma once
// The batch: the input of one forward pass.
//
// A batch is ragged: it has one row per token, the rows of a sequence follow each other, and each sequence
// stores which rows are its own. A prompt chunk has many rows, a decode step has one, and a speculative
// verification has a few. The forward pass treats all of them alike.
//
// The drafts of a speculative verification may form a tree: several guesses for the next token, several
// guesses for the token after each of them, and so on. One forward pass computes all of them (SpecInfer, Miao
// et al. 2023, arXiv 2305.09781). Each node has its own place in the cache, and a mask says which nodes it
// sees.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace rung {

/// The largest number of nodes in the tree of one sequence: one for each bit of its masks.
inline constexpr int kMaxTreeNodes = 64;

/// One sequence's share of a batch.
struct BatchSequence {
  std::int32_t query_begin = 0;     // its first row in Batch::tokens
  std::int32_t query_count = 0;     // number of its rows; >= 1
  std::int32_t context_length = 0;  // tokens it can see after this step: cached ones + query_count
  std::int32_t table_begin = 0;     // its block table is block_table[table_begin .. + table_count)
  std::int32_t table_count = 0;
  std::int32_t drafts = 0;  // number of rows at its end that are nodes of a tree; at most kMaxTreeNodes
};

// Query row j of a sequence has place context_length - query_count + j in the cache and sees the keys at
// places 0 .. its own. The key at place p is in slot
//   block_table[table_begin + p / block_size] * block_size + p % block_size
// of the KV cache. The block_size is that of the cache's view.
//
// A node of a tree sees fewer keys. The last `drafts` rows of a sequence are draft nodes 0, 1, ... They have
// the places base, base + 1, ... with base = context_length - drafts. A node with a mask sees the keys at
// places 0 .. base - 1, and then the keys of the nodes in its mask in ascending order, so its own key comes
// last. This is the order of its path, because every node comes after its parent. A node that directly
// follows the last committed token has depth 1. A node at depth d sees base + d keys, as the last token of a
// chain of d drafts does.
struct Batch {
  std::vector<std::int32_t> tokens;       // [tokens] token ids
  std::vector<std::int32_t> positions;    // [tokens] position of each token in its sequence, or in its path
  std::vector<std::int32_t> slots;        // [tokens] slot mapping: where each token's K and V are written
  std::vector<BatchSequence> sequences;   // in order of query_begin, without gaps
  std::vector<std::int32_t> block_table;  // all sequences' tables, one after the other
  std::vector<std::int32_t> output_rows;  // rows of `tokens` whose logits are requested, ascending
  // [tokens] masks of the rows. Bit j says that the row sees draft node j of its sequence. The mask of a node
  // has the bits of the node itself and of its ancestors. A row with mask 0 sees every place up to its own.
  // The vector may be shorter than `tokens`, or empty: the rows beyond its end have mask 0.
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
/// positions. parents[i] is the parent of node i and must be less than i; -1 means that node i follows the
/// last token that is not a draft. Call make_tree() after the sequence's rows were appended as a chain.
/// Throws Error if the tree has more nodes than kMaxTreeNodes or than the sequence has rows, or if a parent
/// does not come before its node.
void make_tree(Batch& batch, std::span<const std::int32_t> parents);

/// Throws Error if a sequence has more drafts than rows or more than kMaxTreeNodes, or if its masks do not
/// describe a tree. In a tree, a node sees itself, its parent, and all nodes that its parent sees. Allocates
/// nothing.
void check_trees(const Batch& batch);

}  // namespace rung
