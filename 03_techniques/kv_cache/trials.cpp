// The trials of `kv`: random operations. The driver writes a mark into every slot that a sequence gains and
// looks for it again later. If two sequences write the same slot, one of the marks is missing.

#include <algorithm>
#include <map>
#include <memory>

#include <fmt/core.h>

#include "core/error.hpp"
#include "core/printable.hpp"
#include "core/rng.hpp"
#include "devices/cpu_device.hpp"
#include "kv_cache.hpp"

namespace rung::kv_cache {
namespace {

struct Workload {
  std::string name;
  int sequences, context, block_size;
  int tokens;  // that the budget holds
  int operations;
};

KvConfig config_of(const Workload& w) {
  KvConfig config;
  config.layers = 2;
  config.kv_heads = 1;
  config.head_dim = 4;
  config.max_sequences = w.sequences;
  config.max_context = w.context;
  config.block_size = w.block_size;
  config.device = &cpu_device();
  config.budget = config.bytes_per_token() * static_cast<std::size_t>(w.tokens);
  return config;
}

/// Drives a cache and keeps, for every open sequence, the marks that its positions should hold.
class Driver {
 public:
  Driver(const Workload& w, KvCache& cache) : w_(w), cache_(cache) {}

  void run() {
    for (at_ = 0; at_ < w_.operations; ++at_) {
      operate();
      check_bookkeeping();
      if (at_ % 16 == 0) look_everywhere();
    }
    look_everywhere();
    while (!open_.empty()) close(open_.begin()->first);
    check_bookkeeping();
    if (cache_.use().taken != 0) {
      wrong("no slot taken once all sequences are closed", fmt::format("{} slots", cache_.use().taken));
    }
    fill_all();
  }

 private:
  using Marks = std::vector<float>;

  /// Ends the trial with the message of mismatch(). `where` names the sequence and the position, if any.
  [[noreturn]] void wrong(const std::string& expected, const std::string& actual,
                          const std::string& where = "") const {
    fail("{}", mismatch(w_.name,
                        fmt::format("{} sequences, {} tokens in blocks of {}", w_.sequences, w_.tokens,
                                    w_.block_size),
                        fmt::format("operation {}{}", at_, where), expected, actual));
  }
  static std::string sequence(int seq) { return fmt::format(", sequence {}", seq); }

  void check_bookkeeping() const {
    try {
      cache_.check_integrity();
    } catch (const Error& error) {
      wrong("bookkeeping that agrees with itself", fmt::format("'{}'", error.what()));
    }
  }

  std::int64_t slot(int seq, int p) const {
    const int block = cache_.view(0).block_size;
    return std::int64_t{cache_.block_table(seq)[static_cast<std::size_t>(p / block)]} * block + p % block;
  }

  void write(int seq, int begin) {
    Marks& marks = open_[seq];
    for (int p = begin; p < static_cast<int>(marks.size()); ++p) {
      const float mark = static_cast<float>(++last_mark_);
      marks[static_cast<std::size_t>(p)] = mark;
      *cache_.view(0).keys.ptr<float>(slot(seq, p)) = mark;
      *cache_.view(1).values.ptr<float>(slot(seq, p)) = -mark;
    }
  }

  void grow(int seq, int length) {
    Marks& marks = open_[seq];
    const KvUse before = cache_.use();
    if (!cache_.grow(seq, length)) {
      // A refusal must have a reason: too long, or not enough free blocks, one of which a copy may take.
      const int block = cache_.view(0).block_size;
      const std::int64_t more = length - static_cast<int>(marks.size()) + 2 * block;
      if (length <= w_.context && before.slots - before.taken >= more) {
        wrong(fmt::format("room for {} more tokens with {} of {} slots taken",
                          length - static_cast<int>(marks.size()), before.taken, before.slots),
              "a refusal", sequence(seq));
      }
      const KvUse after = cache_.use();
      if (cache_.length(seq) != static_cast<int>(marks.size()) || after.taken != before.taken) {
        wrong(fmt::format("no change when there is no room: {} tokens and {} slots taken", marks.size(),
                          before.taken),
              fmt::format("{} tokens and {} slots taken", cache_.length(seq), after.taken), sequence(seq));
      }
      return;
    }
    if (length > w_.context)
      wrong(fmt::format("at most {} tokens", w_.context), fmt::format("{} tokens", length), sequence(seq));
    const int begin = static_cast<int>(marks.size());
    marks.resize(static_cast<std::size_t>(std::max(begin, length)));
    write(seq, begin);
  }

  void close(int seq) {
    cache_.close(seq);
    open_.erase(seq);
  }

  void operate() {
    const auto pick = [&] {
      auto it = open_.begin();
      std::advance(it, static_cast<std::ptrdiff_t>(rng_.below(open_.size())));
      return it->first;
    };
    const std::uint64_t kind = rng_.below(8);
    if (open_.empty() || kind == 0) {
      const int seq = cache_.open();
      if (seq >= 0 && !open_.emplace(seq, Marks()).second)
        wrong("a sequence that is not open", "one that is open already", sequence(seq));
      return;
    }
    const int seq = pick();
    const int length = static_cast<int>(open_[seq].size());
    if (kind == 1) {
      close(seq);
    } else if (kind == 2) {
      const int left = static_cast<int>(rng_.below(static_cast<std::uint64_t>(length) + 1));
      cache_.truncate(seq, left);
      open_[seq].resize(static_cast<std::size_t>(left));
    } else if (kind == 3 && length > 0) {
      const int to = cache_.open();
      if (to < 0) return;
      const int shared = 1 + static_cast<int>(rng_.below(static_cast<std::uint64_t>(length)));
      Marks marks;
      if (cache_.share(seq, to, shared)) marks.assign(open_[seq].begin(), open_[seq].begin() + shared);
      open_[to] = std::move(marks);
    } else {
      grow(seq, length + 1 + static_cast<int>(rng_.below(static_cast<std::uint64_t>(w_.context) / 4)));
    }
  }

  void look_everywhere() {
    for (const auto& [seq, marks] : open_) {
      if (cache_.length(seq) != static_cast<int>(marks.size())) {
        wrong(fmt::format("{} tokens", marks.size()), fmt::format("{} tokens", cache_.length(seq)),
              sequence(seq));
      }
      for (int p = 0; p < static_cast<int>(marks.size()); ++p) {
        const float key = *cache_.view(0).keys.ptr<float>(slot(seq, p));
        const float value = *cache_.view(1).values.ptr<float>(slot(seq, p));
        const float mark = marks[static_cast<std::size_t>(p)];
        if (key == mark && value == -mark) continue;
        wrong(fmt::format("key {} and value {}", mark, -mark), fmt::format("key {} and value {}", key, value),
              fmt::format(", sequence {}, position {}", seq, p));
      }
    }
  }

  /// Nothing may be lost on the way: what was promised fits again.
  void fill_all() {
    std::int64_t filled = 0;
    for (int seq = cache_.open(); seq >= 0; seq = cache_.open()) {
      open_[seq] = {};
      for (int p = 1; p <= w_.context; ++p) {
        if (!cache_.grow(seq, p)) break;
        ++filled;
      }
    }
    const KvUse use = cache_.use();
    const std::int64_t promised =
        std::min(use.slots, std::int64_t{w_.context} * static_cast<int>(open_.size())) -
        cache_.view(0).block_size + 1;
    if (filled < promised) {
      wrong(fmt::format("room for at least {} tokens in the empty cache", promised),
            fmt::format("{} tokens", filled));
    }
  }

  const Workload& w_;
  KvCache& cache_;
  Rng rng_{20260301};
  std::map<int, Marks> open_;
  int at_ = 0;
  int last_mark_ = 0;
};

/// A pool by itself: the cache never asks for a block that it knows is not there.
void drive_pool(BlockPool& pool, int blocks) {
  Rng rng(20260302);
  std::vector<int> owners(static_cast<std::size_t>(blocks), 0);
  int free = blocks;
  for (int at = 0; at < 400; ++at) {
    const auto wrong = [&](const std::string& what, const std::string& expected, int actual) {
      fail("{}", mismatch("the pool alone", counted(blocks, "block"),
                          fmt::format("operation {}, {}", at, what), expected, std::to_string(actual)));
    };
    const auto expect = [&](const std::string& what, int expected, int actual) {
      if (expected != actual) wrong(what, std::to_string(expected), actual);
    };
    std::vector<int> owned;
    for (int b = 0; b < blocks; ++b) {
      if (owners[static_cast<std::size_t>(b)] > 0) owned.push_back(b);
    }
    // Mostly takes in the first half of every fifty, mostly gives back in the other: empty and full come up
    // often.
    const bool fills = at % 50 < 25 ? rng.below(5) > 0 : rng.below(5) == 0;
    if (fills || owned.empty()) {
      const int block = pool.take();
      if (free == 0) {
        expect("take() when no block is free", -1, block);
      } else {
        if (block < 0 || block >= blocks || owners[static_cast<std::size_t>(block)] > 0)
          wrong("take()", "a free block", block);
        owners[static_cast<std::size_t>(block)] = 1;
        --free;
      }
    } else {
      const int block = owned[rng.below(owned.size())];
      int& count = owners[static_cast<std::size_t>(block)];
      if (rng.below(4) == 0) {
        pool.share(block);
        ++count;
      } else {
        pool.release(block);
        free += --count == 0;
      }
    }
    for (int b = 0; b < blocks; ++b)
      expect(fmt::format("owners({})", b), owners[static_cast<std::size_t>(b)], pool.owners(b));
    expect("free_blocks()", free, pool.free_blocks());
  }
}

std::vector<Workload> workloads() {
  return {
      {"one sequence", 1, 16, 4, 16, 200},
      {"blocks of one token", 5, 16, 1, 80, 2000},
      {"blocks of 4", 5, 17, 4, 5 * 20, 2000},
      {"half the memory that all could need", 8, 64, 16, 4 * 64, 3000},
      {"a block holds more than a sequence", 6, 40, 64, 6 * 64, 1000},
      {"blocks of 256", 4, 1000, 256, 4 * 1024, 300},
      {"hardly room for one", 12, 96, 8, 96, 3000},
  };
}

}  // namespace

std::vector<Trial> trials(const Ladder<KvCache>& ladder) {
  const auto judge = [&ladder](const std::string& rung, int /*threads*/, const Workload& w) {
    const auto cache = ladder.make(rung, config_of(w));
    Driver(w, *cache).run();
    return Verdict();
  };
  std::vector<Trial> result = trials_of(workloads(), judge);

  for (const int blocks : {1, 2, 13}) {
    Trial alone;
    alone.name = "the pool alone, " + counted(blocks, "block");
    alone.judge = judging([blocks](const std::string& rung, int) {
      if (rung == "contiguous") return Verdict::unsupported("it has no pool");
      const auto pool = rung == "mine" ? mine(blocks) : free_list(blocks);
      drive_pool(*pool, blocks);
      return Verdict();
    });
    result.push_back(std::move(alone));
  }

  // The calls of decode steps: one more token for every sequence, and now and then a sequence that ends.
  constexpr int kSequences = 256, kContext = 1024;
  Trial steps;
  steps.name = "256 sequences grow by 16 tokens, one by one, and 8 are replaced";
  steps.timed = true;
  steps.work.bytes = kSequences * 16.0 * 4;  // a table entry or a length each time
  steps.judge = judging([&ladder](const std::string& rung, int) {
    ladder.make(rung, config_of({"", 1, 16, 16, 16, 0}));  // throws NotStarted if the rung has no code
    return Verdict();
  });
  steps.prepare = [&ladder](const std::string& rung, int) -> std::function<void()> {
    KvConfig config = config_of({"", kSequences, kContext, 16, kSequences * kContext, 0});
    const std::shared_ptr<KvCache> cache = ladder.make(rung, config);
    std::vector<int> lengths(kSequences, 0);
    for (int i = 0; i < kSequences; ++i) cache->open();
    return [cache, lengths, next = 0]() mutable {
      for (int token = 0; token < 16; ++token) {
        for (int seq = 0; seq < kSequences; ++seq) {
          auto& length = lengths[static_cast<std::size_t>(seq)];
          if (length == kContext) cache->truncate(seq, length = 0);
          cache->grow(seq, ++length);
        }
      }
      for (int i = 0; i < 8; ++i, next = (next + 1) % kSequences) {
        cache->close(next);
        lengths[static_cast<std::size_t>(cache->open())] = 0;
      }
    };
  };
  result.push_back(std::move(steps));
  return result;
}

}  // namespace rung::kv_cache
