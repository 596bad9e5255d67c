#include "engine/sliding_window.hpp"

#include "core/error.hpp"

namespace rung {

SlidingWindow::SlidingWindow(const Transformer& transformer, KvCache& kv, int sinks, int context)
    : transformer_(transformer),
      kv_(kv),
      block_size_(kv.view(0).block_size),
      first_block_((sinks + block_size_ - 1) / block_size_),
      context_(context) {}

int SlidingWindow::make_room(int seq, int length) {
  if (length <= context_) return 0;
  const int blocks = (length - context_ + block_size_ - 1) / block_size_;
  if (!kv_.cut(seq, first_block_, blocks)) {
    fail(
        "a text that outgrows the cache gives up {} blocks behind its first tokens, which this KV cache "
        "cannot; "
        "use --kv paged",
        blocks);
  }
  turn_back(seq, first_block_ * block_size_, blocks * block_size_);
  return blocks * block_size_;
}

void SlidingWindow::turn_back(int seq, int from, int by) {
  const int n = kv_.length(seq) - from;
  const auto table = kv_.block_table(seq);
  std::vector<std::int32_t> zeros(static_cast<std::size_t>(n), 0);
  const Tensor positions(zeros.data(), DType::i32, 1, n);
  for (int layer = 0; layer < transformer_.layers(); ++layer) {
    const RopeTables* forward = transformer_.rope_of(layer);
    if (forward == nullptr) continue;  // its keys know no position
    // The angles of position -by. The tables are scaled by the magnitude, which a key has already.
    std::vector<float> cos(static_cast<std::size_t>(forward->cos.cols)), sin(cos.size());
    for (std::size_t i = 0; i < cos.size(); ++i) {
      const float magnitude = forward->cos.ptr<float>(0)[i];  // position 0: its cosine is 1
      cos[i] = forward->cos.ptr<float>(by)[i] / magnitude;
      sin[i] = -forward->sin.ptr<float>(by)[i] / magnitude;
    }
    RopeTables back = *forward;
    back.cos = Tensor(cos.data(), DType::f32, 1, forward->cos.cols);
    back.sin = Tensor(sin.data(), DType::f32, 1, forward->sin.cols);

    const Tensor slots = kv_.view(layer).keys;
    keys_.resize(static_cast<std::size_t>(n * slots.cols));
    const Tensor keys(keys_.data(), DType::f32, n, slots.cols);
    const auto slot = [&](int i) {
      const int p = from + i;
      return slots.row(std::int64_t{table[static_cast<std::size_t>(p / block_size_)]} * block_size_ +
                       p % block_size_);
    };
    for (int i = 0; i < n; ++i) traits(slots.dtype).to_float(slot(i), keys.ptr<float>(i), slots.cols);
    transformer_.ops().rope(keys, positions, back);
    for (int i = 0; i < n; ++i) traits(slots.dtype).from_float(keys.ptr<float>(i), slot(i), slots.cols);
  }
}

}  // namespace rung
