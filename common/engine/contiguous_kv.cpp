// Rung 0 of the KV cache: one region per sequence, as long as the longest sequence may become.
//
// Slot = sequence * max_context + position, so a position finds its row without a table; the block
// table of a sequence has one entry, its own number. Paging (02_engines/vllm) exists because of what
// this wastes.

#include "engine/contiguous_kv.hpp"

#include <algorithm>
#include <cassert>
#include <vector>

namespace rung {
namespace {

class ContiguousKv final : public KvCache {
 public:
  explicit ContiguousKv(const KvConfig& config) : config_(config) {
    if (config.max_sequences < 1 || config.max_context < 1) {
      fail("a KV cache needs room for at least 1 sequence of 1 token, not {} of {}", config.max_sequences,
           config.max_context);
    }
    // Checked in floating point first: the product below must not overflow.
    const double bytes =
        static_cast<double>(config.bytes_per_token()) * config.max_sequences * config.max_context;
    if (!(bytes < 0x1p50))
      fail("{} would need {:.3g} bytes; use a smaller --ctx or fewer sequences", config.describe(), bytes);
    const std::int64_t width = std::int64_t{config.kv_heads} * config.head_dim;
    const std::int64_t slots = std::int64_t{config.max_sequences} * config.max_context;
    const std::int64_t rows = 2 * config.layers * slots;  // keys and values of all layers
    memory_ = config.device->allocate(bytes_of(config.dtype, rows * width));
    const Tensor all = memory_.tensor(config.dtype, rows, width);
    for (int layer = 0; layer < config.layers; ++layer) {
      views_.push_back({all.row_slice(2 * layer * slots, slots),
                        all.row_slice((2 * layer + 1) * slots, slots), config.max_context, true});
    }
    for (int seq = 0; seq < config.max_sequences; ++seq) blocks_.push_back(seq);
    lengths_.assign(static_cast<std::size_t>(config.max_sequences), kClosed);
  }

  int open() override {
    for (std::size_t seq = 0; seq < lengths_.size(); ++seq) {
      if (lengths_[seq] == kClosed) {
        lengths_[seq] = 0;
        return static_cast<int>(seq);
      }
    }
    return -1;
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
    for (const KvView& view : views_) {
      for (const Tensor& rows : {view.keys, view.values}) {
        const std::int64_t stride = config_.max_context;
        config_.device->copy(rows.row(to * stride), rows.row(from * stride),
                             rows.row_slice(0, length).bytes());
      }
    }
    length_of(to) = length;
    return true;
  }

  int length(int seq) const override { return lengths_[static_cast<std::size_t>(seq)]; }
  std::span<const std::int32_t> block_table(int seq) const override {
    return {&blocks_[static_cast<std::size_t>(seq)], 1};
  }
  KvView view(int layer) const override { return views_[static_cast<std::size_t>(layer)]; }
  std::size_t bytes() const override { return memory_.bytes(); }

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
    assert(seq >= 0 && seq < config_.max_sequences && lengths_[static_cast<std::size_t>(seq)] != kClosed);
    return lengths_[static_cast<std::size_t>(seq)];
  }

  KvConfig config_;
  DeviceBuffer memory_;
  std::vector<KvView> views_;         // per layer
  std::vector<std::int32_t> blocks_;  // block number of each sequence: its own
  std::vector<int> lengths_;          // tokens of each sequence, kClosed when not open
};

}  // namespace

std::unique_ptr<KvCache> contiguous_kv(const KvConfig& config) {
  return std::make_unique<ContiguousKv>(config);
}

void register_contiguous_kv(Registry& registry) {
  registry.ladder<KvCache>().add(
      {{.name = "contiguous",
        .source = "common/engine/contiguous_kv.cpp",
        .summary = "one region of max_context slots per sequence, taken at the start"},
       contiguous_kv,
       {}});
}

}  // namespace rung
