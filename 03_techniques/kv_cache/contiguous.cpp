// Rung 0: one region per sequence, as long as the longest sequence may become.
//
// Slot = sequence * max_context + position, so a position finds its row without a table; the block table of
// a sequence has one entry, its own number. A sequence of ten tokens holds memory for all that it might
// have become, and nobody else can use it: that is what the rungs above are for.

#include <algorithm>
#include <cassert>

#include "kv_cache.hpp"

namespace rung::kv_cache {
namespace {

class ContiguousKv final : public KvCache {
 public:
  explicit ContiguousKv(const KvConfig& config)
      : config_(config),
        regions_(static_cast<int>(slots_for(config, config.max_context) / config.max_context)),
        memory_(config, std::int64_t{regions_} * config.max_context, config.max_context, true) {
    for (int seq = 0; seq < regions_; ++seq) blocks_.push_back(seq);
    lengths_.assign(static_cast<std::size_t>(regions_), kClosed);
  }

  int open() override {
    const auto closed = std::find(lengths_.begin(), lengths_.end(), kClosed);
    if (closed == lengths_.end()) return -1;
    *closed = 0;
    return static_cast<int>(closed - lengths_.begin());
  }

  void close(int seq) override { length_of(seq) = kClosed; }

  bool grow(int seq, int length) override {
    if (length > config_.max_context) return false;
    length_of(seq) = std::max(length_of(seq), length);
    return true;
  }

  void truncate(int seq, int length) override { length_of(seq) = std::min(length_of(seq), length); }

  bool share(int from, int to, int length) override {
    assert(length_of(to) == 0 && length <= length_of(from));
    memory_.copy(config_, from, to, length);
    length_of(to) = length;
    return true;
  }

  int length(int seq) const override { return lengths_[static_cast<std::size_t>(seq)]; }
  std::span<const std::int32_t> block_table(int seq) const override {
    return {&blocks_[static_cast<std::size_t>(seq)], 1};
  }
  KvView view(int layer) const override { return memory_.views[static_cast<std::size_t>(layer)]; }
  std::size_t bytes() const override { return memory_.buffer.bytes(); }

  std::int64_t free_slots() const override {
    return std::count(lengths_.begin(), lengths_.end(), kClosed) * std::int64_t{config_.max_context};
  }
  KvUse use() const override {
    KvUse use;
    use.slots = std::int64_t{regions_} * config_.max_context;
    for (const int length : lengths_) {
      if (length == kClosed) continue;
      use.taken += config_.max_context;
      use.live += length;
    }
    return use;
  }

  void check_integrity() const override {
    for (std::size_t seq = 0; seq < lengths_.size(); ++seq) {
      if (lengths_[seq] < kClosed || lengths_[seq] > config_.max_context) {
        fail("KV cache: sequence {} claims {} tokens, its region holds {}", seq, lengths_[seq],
             config_.max_context);
      }
    }
  }

 private:
  static constexpr int kClosed = -1;

  int& length_of(int seq) {
    assert(seq >= 0 && seq < regions_ && lengths_[static_cast<std::size_t>(seq)] != kClosed);
    return lengths_[static_cast<std::size_t>(seq)];
  }

  KvConfig config_;
  int regions_;
  LayerMemory memory_;
  std::vector<std::int32_t> blocks_;  // block number of each sequence: its own
  std::vector<int> lengths_;          // tokens of each sequence, kClosed when not open
};

}  // namespace

std::unique_ptr<KvCache> make_contiguous(const KvConfig& config) {
  check_config(config);
  return std::make_unique<ContiguousKv>(config);
}

}  // namespace rung::kv_cache
