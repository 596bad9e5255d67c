#pragma once
// What a scheduler sees of the engine's memory: places and tokens, what becomes of who is preempted, and what
// is kept of who has ended.

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "seams/device.hpp"
#include "seams/kv_cache.hpp"
#include "seams/prefix_cache.hpp"
#include "seams/scheduler.hpp"

namespace rung {

/// A preempted sequence loses its place in the cache. Where `swap_bytes` allows it, its keys and values are
/// copied to host memory first and come back with open(); else they are computed again (Kwon et al. 2023,
/// section 4.5). Blocks of sequences that ended, or were preempted, stay with the prefix cache until somebody
/// needs them.
class EngineKvSpace final : public KvSpace {
 public:
  /// The tokens of a sequence so far, and its salt.
  struct Text {
    std::vector<std::int32_t> tokens;
    std::uint64_t salt = 0;
  };
  using TextOf = std::function<void(const ScheduledSequence& s, Text& text)>;

  /// `prefixes`: rung `none` where nothing is kept. `swap_bytes`: of host memory, taken as sequences are
  /// swapped out; 0: everything is recomputed.
  EngineKvSpace(KvCache& kv, std::unique_ptr<PrefixCache> prefixes, TextOf text_of, Device& device,
                int layers, std::size_t swap_bytes);

  bool open(ScheduledSequence& s) override;
  bool grow(ScheduledSequence& s, int length) override;
  void preempt(ScheduledSequence& s) override;
  bool has_room(std::int64_t tokens) const override;

  /// The prefix cache, if there is one, becomes an owner of a running sequence's full blocks: they are not
  /// written again.
  void remember(const ScheduledSequence& s);
  /// Ends a sequence, running or not.
  void close(ScheduledSequence& s);
  /// Gives up everything that is kept for later.
  void forget();

  void check_integrity() const;

  std::int64_t swaps() const { return swaps_; }             // sequences that came back from host memory
  std::int64_t dropped_tokens() const { return dropped_; }  // whose K and V were given up in a preemption

 private:
  /// Visits the rows of a sequence's first `length` tokens in all layers, as runs of memory in a fixed order.
  template <class Visit>
  void each_run(int kv, int length, Visit visit) const;
  /// Whether it gave up at least one block that nobody else owns.
  bool evict(int blocks);

  KvCache& kv_;
  std::unique_ptr<PrefixCache> prefixes_;
  TextOf text_of_;
  Device& device_;
  int layers_;
  std::size_t swap_bytes_, swapped_bytes_ = 0;
  std::int64_t swaps_ = 0, dropped_ = 0;
  std::map<int, std::vector<std::byte>> swapped_;  // id -> keys and values of its `computed` tokens
  Text text_;                                      // of the sequence at hand
  std::vector<std::int32_t> blocks_;               // likewise
};

}  // namespace rung
