#pragma once
// What a scheduler sees of the engine's memory: places and tokens, and what becomes of who is preempted.

#include <cstddef>
#include <map>
#include <vector>

#include "seams/device.hpp"
#include "seams/kv_cache.hpp"
#include "seams/scheduler.hpp"

namespace rung {

/// A preempted sequence loses its place in the cache. Where `swap_bytes` allows it, its keys and values are
/// copied to host memory first and come back with open(); else they are computed again (Kwon et al. 2023,
/// section 4.5).
class EngineKvSpace final : public KvSpace {
 public:
  /// `swap_bytes`: of host memory, taken as sequences are swapped out; 0: everything is recomputed.
  EngineKvSpace(KvCache& kv, Device& device, int layers, std::size_t swap_bytes);

  bool open(ScheduledSequence& s) override;
  bool grow(ScheduledSequence& s, int length) override { return kv_.grow(s.kv, length); }
  void preempt(ScheduledSequence& s) override;
  std::int64_t free_tokens() const override {
    const KvUse use = kv_.use();
    return use.slots - use.taken;
  }

  /// Ends a sequence, running or not: gives back all that is kept of it.
  void close(ScheduledSequence& s);

  std::size_t swapped_bytes() const { return swapped_bytes_; }  // now, in host memory
  std::int64_t swaps() const { return swaps_; }                 // sequences that came back
  std::int64_t dropped_tokens() const {
    return dropped_;
  }  // whose K and V were given up and must be recomputed

 private:
  /// Visits the rows of a sequence's first `length` tokens in all layers, as runs of memory in a fixed order.
  template <class Visit>
  void each_run(int kv, int length, Visit visit) const;

  KvCache& kv_;
  Device& device_;
  int layers_;
  std::size_t swap_bytes_, swapped_bytes_ = 0;
  std::int64_t swaps_ = 0, dropped_ = 0;
  std::map<int, std::vector<std::byte>> swapped_;  // id -> keys and values of its `computed` tokens
};

}  // namespace rung
