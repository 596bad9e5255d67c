#include "engine/sliding_window.hpp"

#include <utility>

#include "core/error.hpp"
#include "engine/transformer.hpp"

namespace rung {
namespace {

/// The rotation by position -by. The forward tables are scaled by RoPE's magnitude. The keys already contain
/// this factor, so it is divided out here.
struct BackwardAngles {
  BackwardAngles(const RopeTables& forward, int by) : tables(forward) {
    const auto n = static_cast<std::size_t>(forward.cos.cols);
    cos.resize(n);
    sin.resize(n);
    for (std::size_t i = 0; i < n; ++i) {
      const float magnitude = forward.cos.ptr<float>(0)[i];  // at position 0 the cosine is 1
      cos[i] = forward.cos.ptr<float>(by)[i] / magnitude;
      sin[i] = -forward.sin.ptr<float>(by)[i] / magnitude;
    }
    tables.cos = Tensor(cos.data(), DType::f32, 1, forward.cos.cols);
    tables.sin = Tensor(sin.data(), DType::f32, 1, forward.sin.cols);
  }
  std::vector<float> cos, sin;
  RopeTables tables;
};

}  // namespace

SlidingCache::SlidingCache(std::unique_ptr<KvCache> cache, int max_sequences, int sinks, int context,
                           RotateBack rotate)
    : cache_(std::move(cache)),
      rotate_(std::move(rotate)),
      block_size_(cache_->view(0).block_size),
      first_block_((sinks + block_size_ - 1) / block_size_),
      context_(context),
      dropped_(static_cast<std::size_t>(max_sequences)) {}

int SlidingCache::open() {
  const int seq = cache_->open();
  if (seq >= 0) dropped_[static_cast<std::size_t>(seq)] = 0;
  return seq;
}

bool SlidingCache::grow(int seq, int length) {
  const int excess = length - dropped(seq) - context_;
  if (excess > 0) {
    const int blocks = (excess + block_size_ - 1) / block_size_;
    if (!cache_->cut(seq, first_block_, blocks)) {
      fail(
          "a text that outgrows the cache drops {} blocks after its first tokens, which this KV cache "
          "cannot; "
          "use --kv paged",
          blocks);
    }
    rotate_(*cache_, seq, first_block_ * block_size_, blocks * block_size_);
    dropped_[static_cast<std::size_t>(seq)] += blocks * block_size_;
  }
  return cache_->grow(seq, length - dropped(seq));
}

int SlidingCache::step_room(int seq, int length) const {
  const int room = context_ - (length - dropped(seq));
  return room > 0 ? room : block_size_;
}

SlidingCache::RotateBack rotate_keys_of(const Transformer& transformer) {
  return [&transformer, values = std::vector<float>(), zeros = std::vector<std::int32_t>()](
             const KvCache& cache, int seq, int from, int by) mutable {
    const int n = cache.length(seq) - from, block_size = cache.view(0).block_size;
    const auto table = cache.block_table(seq);
    zeros.assign(static_cast<std::size_t>(n), 0);
    const Tensor positions(zeros.data(), DType::i32, 1, n);
    for (int layer = 0; layer < transformer.layers(); ++layer) {
      const RopeTables* forward = transformer.rope_of(layer);
      if (forward == nullptr) continue;  // the keys of this layer are not rotated
      const BackwardAngles back(*forward, by);
      const Tensor slots = cache.view(layer).keys;
      values.resize(static_cast<std::size_t>(n * slots.cols));
      const Tensor keys(values.data(), DType::f32, n, slots.cols);
      const auto slot = [&](int i) {
        const int p = from + i;
        return slots.row(std::int64_t{table[static_cast<std::size_t>(p / block_size)]} * block_size +
                         p % block_size);
      };
      for (int i = 0; i < n; ++i) traits(slots.dtype).to_float(slot(i), keys.ptr<float>(i), slots.cols);
      transformer.ops().rope(keys, positions, back.tables);
      for (int i = 0; i < n; ++i) traits(slots.dtype).from_float(keys.ptr<float>(i), slot(i), slots.cols);
    }
  };
}

}  // namespace rung
