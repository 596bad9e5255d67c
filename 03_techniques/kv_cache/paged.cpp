// Rung 1: memory in blocks of a few tokens, taken when a sequence gets there (PagedAttention: Kwon et al.
// 2023, arXiv 2309.06180). A sequence is a list of blocks that may lie anywhere, as a process is a list of
// pages. What it wastes is the rest of its last block, block_size / 2 tokens on average, however long it
// might have become. Sequences that begin alike still have a copy each.

#include "paged.hpp"

#include <algorithm>
#include <cassert>

#include "core/error.hpp"

namespace rung::kv_cache {

PagedKv::PagedKv(const KvConfig& config, std::unique_ptr<BlockPool> (*pool)(int blocks))
    : config_(config),
      blocks_(static_cast<int>(slots_for(config, config.block_size) / config.block_size)),
      memory_(config, std::int64_t{blocks_} * config.block_size, config.block_size, false),
      pool_(pool(blocks_)),
      sequences_(static_cast<std::size_t>(config.max_sequences)) {
  for (Sequence& s : sequences_) s.table.reserve(static_cast<std::size_t>(blocks_for(config.max_context)));
}

int PagedKv::open() {
  const auto closed =
      std::find_if(sequences_.begin(), sequences_.end(), [](const Sequence& s) { return !s.open; });
  if (closed == sequences_.end()) return -1;
  closed->open = true;
  return static_cast<int>(closed - sequences_.begin());
}

void PagedKv::close(int seq) {
  truncate(seq, 0);
  sequence(seq).open = false;
}

bool PagedKv::grow(int seq, int length) {
  Sequence& s = sequence(seq);
  assert(s.open);
  if (length > config_.max_context) return false;
  const int more = blocks_for(length) - static_cast<int>(s.table.size());
  if (more > pool_->free_blocks()) return false;
  for (int i = 0; i < more; ++i) s.table.push_back(pool_->take());
  s.length = std::max(s.length, length);
  return true;
}

void PagedKv::truncate(int seq, int length) {
  Sequence& s = sequence(seq);
  assert(s.open);
  s.length = std::min(s.length, length);
  // The last block first: taken again in the same order, a list of blocks is often a run of memory.
  for (; static_cast<int>(s.table.size()) > blocks_for(s.length); s.table.pop_back())
    pool_->release(s.table.back());
}

bool PagedKv::cut(int seq, int first, int blocks) {
  Sequence& s = sequence(seq);
  assert(s.open && (first + blocks) * config_.block_size <= s.length);
  const auto begin = s.table.begin() + first, end = begin + blocks;
  if (std::any_of(begin, s.table.end(), [&](std::int32_t block) { return pool_->owners(block) != 1; }))
    return false;
  std::for_each(begin, end, [&](std::int32_t block) { pool_->release(block); });
  s.table.erase(begin, end);
  s.length -= blocks * config_.block_size;
  return true;
}

bool PagedKv::share(int from, int to, int length) {
  const Sequence& source = sequence(from);
  assert(sequence(to).length == 0 && length <= source.length);
  if (!grow(to, length)) return false;
  for (int p = 0; p < length; p += config_.block_size) {
    const auto entry = static_cast<std::size_t>(p / config_.block_size);
    memory_.copy(config_, source.table[entry], sequence(to).table[entry],
                 std::min(config_.block_size, length - p));
  }
  return true;
}

KvUse PagedKv::use() const {
  KvUse use;
  use.slots = std::int64_t{blocks_} * config_.block_size;
  use.taken = std::int64_t{blocks_ - pool_->free_blocks()} * config_.block_size;
  std::vector<int> filled(static_cast<std::size_t>(blocks_), 0);  // slots of each block that somebody reads
  for (const Sequence& s : sequences_) {
    for (std::size_t i = 0; i < s.table.size(); ++i) {
      const int begin = static_cast<int>(i) * config_.block_size;
      int& fill = filled[static_cast<std::size_t>(s.table[i])];
      fill = std::max(fill, std::min(config_.block_size, s.length - begin));
    }
  }
  for (int block = 0; block < blocks_; ++block) {
    use.live += filled[static_cast<std::size_t>(block)];
    if (held(block) > 0 && pool_->owners(block) == held(block)) use.kept += config_.block_size;
  }
  return use;
}

void PagedKv::check_integrity() const {
  std::vector<int> owners(static_cast<std::size_t>(blocks_), 0);
  for (std::size_t seq = 0; seq < sequences_.size(); ++seq) {
    const Sequence& s = sequences_[seq];
    if (!s.open && (s.length != 0 || !s.table.empty())) {
      fail("KV cache: sequence {} is closed and still has {} tokens in {} blocks", seq, s.length,
           s.table.size());
    }
    if (static_cast<int>(s.table.size()) != blocks_for(s.length)) {
      fail("KV cache: the {} tokens of sequence {} need {} blocks, it has {}", s.length, seq,
           blocks_for(s.length), s.table.size());
    }
    for (const std::int32_t block : s.table) {
      if (block < 0 || block >= blocks_)
        fail("KV cache: sequence {} has block {} of {}", seq, block, blocks_);
      ++owners[static_cast<std::size_t>(block)];
    }
  }
  int free = 0;
  for (int block = 0; block < blocks_; ++block) {
    const int expected = owners[static_cast<std::size_t>(block)] + held(block);
    if (pool_->owners(block) != expected) {
      fail("KV cache: block {} has {} owners, the pool counts {}", block, expected, pool_->owners(block));
    }
    free += expected == 0;
  }
  if (pool_->free_blocks() != free) {
    fail("KV cache: {} blocks have no owner, the pool has {} free ones", free, pool_->free_blocks());
  }
}

std::unique_ptr<KvCache> make_paged(const KvConfig& config) {
  check_config(config);
  return std::make_unique<PagedKv>(config, free_list);
}

}  // namespace rung::kv_cache
