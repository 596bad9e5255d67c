#include "engine/kv_space.hpp"

#include <algorithm>

namespace rung {

EngineKvSpace::EngineKvSpace(KvCache& kv, Device& device, int layers, std::size_t swap_bytes)
    : kv_(kv), device_(device), layers_(layers), swap_bytes_(swap_bytes) {}

template <class Visit>
void EngineKvSpace::each_run(int kv, int length, Visit visit) const {
  const auto table = kv_.block_table(kv);
  for (int layer = 0; layer < layers_; ++layer) {
    const KvView view = kv_.view(layer);
    for (const Tensor& rows : {view.keys, view.values}) {
      for (int p = 0; p < length; p += view.block_size) {
        const std::int64_t block = table[static_cast<std::size_t>(p / view.block_size)];
        const Tensor run = rows.row_slice(block * view.block_size, std::min(view.block_size, length - p));
        visit(run.data, run.bytes());
      }
    }
  }
}

bool EngineKvSpace::open(ScheduledSequence& s) {
  const auto kept = swapped_.find(s.id);
  const int kv = kv_.open();
  if (kv < 0) return false;
  if (kept != swapped_.end() && !kv_.grow(kv, s.computed)) {
    kv_.close(kv);
    return false;
  }
  s.kv = kv;
  if (kept == swapped_.end()) {
    s.computed = 0;
    return true;
  }
  const std::byte* from = kept->second.data();
  each_run(kv, s.computed, [&](void* data, std::size_t bytes) {
    device_.to_device(data, from, bytes);
    from += bytes;
  });
  swapped_bytes_ -= kept->second.size();
  swapped_.erase(kept);
  ++swaps_;
  return true;
}

void EngineKvSpace::preempt(ScheduledSequence& s) {
  std::size_t bytes = 0;
  each_run(s.kv, s.computed, [&](void*, std::size_t run) { bytes += run; });
  if (bytes > 0 && swapped_bytes_ + bytes <= swap_bytes_) {
    std::vector<std::byte> kept(bytes);
    std::byte* to = kept.data();
    each_run(s.kv, s.computed, [&](void* data, std::size_t run) {
      device_.to_host(to, data, run);
      to += run;
    });
    swapped_bytes_ += bytes;
    swapped_.emplace(s.id, std::move(kept));
  } else {
    dropped_ += s.computed;
    s.computed = 0;
  }
  kv_.close(s.kv);
  s.kv = -1;
}

void EngineKvSpace::close(ScheduledSequence& s) {
  if (s.kv >= 0) kv_.close(s.kv);
  s.kv = -1;
  if (const auto kept = swapped_.find(s.id); kept != swapped_.end()) {
    swapped_bytes_ -= kept->second.size();
    swapped_.erase(kept);
  }
}

}  // namespace rung
