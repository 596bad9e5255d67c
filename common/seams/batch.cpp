// Trees of draft tokens: turns parents into masks, and checks that masks describe a tree.

#include "seams/batch.hpp"

#include <bit>

#include "core/error.hpp"

namespace rung {
namespace {

std::uint64_t bit_of(std::int32_t node) { return std::uint64_t{1} << node; }

/// Returns the nodes that draft node `node` with mask `mask` sees. A node without a mask sees all nodes up to
/// itself.
std::uint64_t visible_nodes(std::uint64_t mask, std::int32_t node) {
  return mask != 0 ? mask : bit_of(node) | (bit_of(node) - 1);
}

void check_drafts(const BatchSequence& s, std::size_t drafts) {
  if (drafts > kMaxTreeNodes) {
    fail("a tree of {} draft tokens exceeds the {} that a sequence may have; propose fewer drafts", drafts,
         kMaxTreeNodes);
  }
  if (drafts > static_cast<std::size_t>(s.query_count)) {
    fail("a sequence has {} draft tokens, but only {} rows in this step; append a row for each draft", drafts,
         s.query_count);
  }
}

/// Checks the masks of one sequence, which has the rows [first, end).
void check_masks(const Batch& batch, std::size_t first, std::size_t end, std::int32_t drafts) {
  const std::size_t tree = end - static_cast<std::size_t>(drafts);
  for (std::size_t row = first; row < tree && row < batch.ancestors.size(); ++row) {
    if (batch.ancestors[row] == 0) continue;
    fail("row {} has a mask of draft nodes, but is no draft; count it in the `drafts` of its sequence", row);
  }
  for (std::int32_t node = 0; node < drafts; ++node) {
    const std::size_t row = tree + static_cast<std::size_t>(node);
    const std::uint64_t mask = batch.ancestors_of(row);
    if (mask == 0) continue;
    const int last = std::bit_width(mask) - 1;
    if (last != node) {
      fail("the last node that draft node {} sees is node {}; it must be the node itself", node, last);
    }
    const std::uint64_t path = mask ^ bit_of(node);
    if (path == 0) continue;
    const int parent = std::bit_width(path) - 1;
    const std::uint64_t of_parent =
        visible_nodes(batch.ancestors_of(tree + static_cast<std::size_t>(parent)), parent);
    if (path != of_parent) {
      fail("draft node {} sees nodes {:#x} before it, but its parent {} sees {:#x}; they must be the same",
           node, path, parent, of_parent);
    }
  }
}

}  // namespace

void make_tree(Batch& batch, std::span<const std::int32_t> parents) {
  if (parents.empty()) return;
  if (batch.sequences.empty())
    fail("a tree of {} draft tokens belongs to no sequence; append its rows first", parents.size());
  BatchSequence& s = batch.sequences.back();
  check_drafts(s, parents.size());
  s.drafts = static_cast<std::int32_t>(parents.size());
  const auto first = static_cast<std::size_t>(s.query_begin + s.query_count - s.drafts);
  batch.ancestors.resize(first + parents.size(), 0);
  const std::int32_t root = batch.positions[first];
  for (std::int32_t node = 0; node < s.drafts; ++node) {
    const std::int32_t parent = parents[static_cast<std::size_t>(node)];
    if (parent < -1 || parent >= node) {
      fail("draft node {} has parent {}; a parent is an earlier node, or -1 for the last committed token",
           node, parent);
    }
    const std::uint64_t path = parent < 0 ? 0 : batch.ancestors[first + static_cast<std::size_t>(parent)];
    batch.ancestors[first + static_cast<std::size_t>(node)] = path | bit_of(node);
    batch.positions[first + static_cast<std::size_t>(node)] = root + std::popcount(path);
  }
}

void check_trees(const Batch& batch) {
  for (const BatchSequence& s : batch.sequences) {
    if (s.drafts == 0 && batch.ancestors.empty()) continue;
    if (s.drafts < 0) fail("a sequence has {} draft tokens; use 0 for none", s.drafts);
    check_drafts(s, static_cast<std::size_t>(s.drafts));
    const auto first = static_cast<std::size_t>(s.query_begin);
    check_masks(batch, first, first + static_cast<std::size_t>(s.query_count), s.drafts);
  }
}

}  // namespace rung
