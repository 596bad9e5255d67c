#include "loop/kv_cache_space.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "core/timer.hpp"
#include "loop/sequence.hpp"

namespace rung {
namespace {

/// Adds the time from its construction to the end of its scope to a sum.
class Timed {
 public:
  explicit Timed(double& sum) : sum_(sum) {}
  ~Timed() { sum_ += timer_.seconds(); }
  Timed(const Timed&) = delete;
  Timed& operator=(const Timed&) = delete;

 private:
  double& sum_;
  Timer timer_;
};

}  // namespace

KvCacheSpace::KvCacheSpace(KvCache& kv, PrefixCache& prefixes, Device& device, int layers,
                           std::size_t swap_bytes, const PreemptionCost& costs, EventLog& log)
    : kv_(kv),
      prefixes_(prefixes),
      device_(device),
      layers_(layers),
      swap_(swap_bytes),
      costs_(costs),
      log_(log) {}

std::uint64_t KvCacheSpace::read_text(const ScheduledSequence& s) {
  const auto& sequence = static_cast<const Sequence&>(s);
  text_ = sequence.request.prompt;
  text_.insert(text_.end(), sequence.result.token_ids.begin(), sequence.result.token_ids.end());
  return sequence.request.cache_salt;
}

template <class Visit>
void KvCacheSpace::each_run(int kv, int length, Visit visit) const {
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

bool KvCacheSpace::open(ScheduledSequence& s) {
  const int kv = kv_.open();
  if (kv < 0) return false;
  s.kv = kv;
  if (const SwapArea::Piece kept = swap_.find(s.id); kept.data != nullptr) {
    if (!grow(s, s.computed)) {
      kv_.close(kv);
      s.kv = -1;
      return false;
    }
    const double begin_s = log_.now();
    const Timer copying;
    const std::byte* from = kept.data;
    each_run(kv, s.computed, [&](void* data, std::size_t bytes) {
      device_.to_device(data, from, bytes);
      from += bytes;
    });
    costs_.copied(kept.bytes, copying.seconds());
    swap_.give_back(s.id);
    ++swaps_;
    log_.add({.kind = EventKind::swapped_in,
              .sequence = s.id,
              .at_s = begin_s,
              .seconds = log_.now() - begin_s,
              .tokens = s.computed,
              .context = s.length()});
    return true;
  }
  s.computed = 0;
  if (share_fork(s)) return true;
  const std::uint64_t salt = read_text(s);
  // At least one token must be computed; otherwise there would be no logits to sample from.
  {
    const Timed prefix(prefix_s_);
    s.computed = prefixes_.match(std::span(text_).first(text_.size() - 1), salt, blocks_);
  }
  if (s.computed > 0) {
    kv_.adopt(kv, blocks_, s.computed);
    leave_room_for_copy(s);
  }
  s.cached_tokens += std::max(0, std::min(s.computed, s.prompt_tokens) - s.reached);
  s.reached = std::max(s.reached, s.computed);
  log_.add({.kind = EventKind::admitted, .sequence = s.id, .tokens = s.computed, .context = s.length()});
  return true;
}

bool KvCacheSpace::share_fork(ScheduledSequence& s) {
  const ScheduledSequence* from = s.fork_of;
  if (from == nullptr || from->kv < 0) return false;
  const int common = std::min({s.fork_tokens, from->computed, s.length() - 1});
  if (common == 0 || !kv_.share(from->kv, s.kv, common)) return false;
  s.computed = common;
  leave_room_for_copy(s);
  forked_ += s.computed;
  log_.add({.kind = EventKind::forked,
            .sequence = s.id,
            .tokens = s.computed,
            .context = s.length(),
            .related = from->id});
  return true;
}

void KvCacheSpace::leave_room_for_copy(ScheduledSequence& s) {
  const int block_size = kv_.view(0).block_size, inside = s.computed % block_size;
  if (inside == 0 || kv_.owners(kv_.block_table(s.kv).back()) < 2) return;
  if (kv_.free_slots() >= block_size || evict(1)) return;
  s.computed -= inside;
  kv_.truncate(s.kv, s.computed);
}

bool KvCacheSpace::own_last_block(const ScheduledSequence& s) {
  const int length = kv_.length(s.kv);
  if (length % kv_.view(0).block_size == 0 || !kv_.grow(s.kv, length + 1)) return false;
  kv_.truncate(s.kv, length);
  return true;
}

bool KvCacheSpace::grow(ScheduledSequence& s, int length) {
  while (!kv_.grow(s.kv, length)) {
    // Evict one block more than the tokens need, because a shared block may have to be copied. After the
    // copy, the prefix cache may be the only owner of the original block, which can then be evicted.
    const int blocks = (length - kv_.length(s.kv)) / kv_.view(0).block_size + 2;
    if (evict(blocks) || (own_last_block(s) && evict(blocks))) continue;
    short_for_ = s.id;
    return false;
  }
  return true;
}

bool KvCacheSpace::has_room(std::int64_t tokens) const {
  std::int64_t slots = kv_.free_slots();
  if (slots >= tokens) return true;  // the loop below can be long
  for (const std::int32_t block : prefixes_.held())
    slots += kv_.owners(block) == 1 ? kv_.view(0).block_size : 0;
  return slots >= tokens;
}

void KvCacheSpace::remember(const ScheduledSequence& s) {
  if (s.computed == 0) return;
  const Timed prefix(prefix_s_);
  const std::uint64_t salt = read_text(s);
  blocks_.clear();
  prefixes_.insert(std::span(text_).first(static_cast<std::size_t>(s.computed)), kv_.block_table(s.kv), salt,
                   blocks_);
  for (const std::int32_t block : blocks_) kv_.hold(block);
  if (!blocks_.empty()) ++prefix_version_;
}

int KvCacheSpace::known(const ScheduledSequence& s) {
  const Timed prefix(prefix_s_);
  const std::uint64_t salt = read_text(s);
  return prefixes_.peek(std::span(text_).first(text_.size() - 1), salt);
}

bool KvCacheSpace::evict(int blocks) {
  const Timed prefix(prefix_s_);
  blocks_.clear();
  prefixes_.evict(
      blocks, [this](std::int32_t block) { return kv_.owners(block) == 1; }, blocks_);
  for (const std::int32_t block : blocks_) kv_.drop(block);
  if (!blocks_.empty()) ++prefix_version_;
  return !blocks_.empty();
}

void KvCacheSpace::preempt(ScheduledSequence& s) {
  const double begin_s = log_.now();
  const int computed = s.computed;
  std::size_t bytes = 0;
  each_run(s.kv, s.computed, [&](void*, std::size_t run) { bytes += run; });
  const PreemptReason reason = costs_.choose(bytes, computed, swap_.room(), swap_.bytes());
  ++preemptions_;
  if (is_swap(reason)) {
    const Timer copying;
    std::byte* to = swap_.take(s.id, bytes).data;
    each_run(s.kv, s.computed, [&](void* data, std::size_t run) {
      device_.to_host(to, data, run);
      to += run;
    });
    costs_.copied(bytes, copying.seconds());
  } else {
    remember(s);
    s.computed = 0;
  }
  kv_.close(s.kv);
  s.kv = -1;
  log_.add({.kind = EventKind::preempted,
            .reason = static_cast<std::uint8_t>(reason),
            .sequence = s.id,
            .at_s = begin_s,
            .seconds = log_.now() - begin_s,
            .tokens = computed,
            .context = s.length(),
            .related = short_for_});
}

void KvCacheSpace::close(ScheduledSequence& s) {
  if (s.kv >= 0) {
    remember(s);
    kv_.close(s.kv);
  }
  s.kv = -1;
  swap_.give_back(s.id);
}

void KvCacheSpace::forget() {
  while (evict(1 << 20)) {
  }
}

void KvCacheSpace::check_integrity() const {
  kv_.check_integrity();
  prefixes_.check_integrity();
  for (const std::int32_t block : prefixes_.held()) {
    if (kv_.owners(block) < 1) fail("the prefix cache has block {}, which has no owner", block);
  }
}

}  // namespace rung
