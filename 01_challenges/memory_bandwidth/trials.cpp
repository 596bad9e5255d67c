// The trials of `bandwidth`: sums of integers, which float32 adds exactly in any order. The values before and
// after the array are NaN. So the sum is wrong if a rung reads a number twice, skips one, or reads outside
// the array.

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <memory>
#include <mutex>

#include "core/large_array.hpp"
#include "core/printable.hpp"
#include "core/rng.hpp"
#include "memory_bandwidth.hpp"

namespace rung::memory_bandwidth {
namespace {

constexpr std::int64_t kGuard = 64;  // NaN on either side: four cache lines

struct Input {
  LargeArray memory;
  std::span<const float> data;
  double sum = 0;       // exact
  double absolute = 0;  // sum of the absolute values

  Input(std::int64_t n, std::int64_t shift, Pages pages, bool whole) : memory(n + shift + 2 * kGuard, pages) {
    const std::span<float> all = memory.span();
    std::fill(all.begin(), all.end(), std::numeric_limits<float>::quiet_NaN());
    const std::span<float> own =
        all.subspan(static_cast<std::size_t>(kGuard + shift), static_cast<std::size_t>(n));
    Rng rng(20261126);
    for (float& x : own) {
      // Integers from -8 to 7: no partial sum comes near 2^24 in this order.
      x = whole ? static_cast<float>(rng.below(16)) - 8.0f : static_cast<float>(rng.uniform()) - 0.25f;
      sum += x;
      absolute += std::fabs(x);
    }
    data = own;
  }
};

struct Case {
  std::string name;
  std::int64_t n = 0;
  std::int64_t shift = 0;  // floats by which the start misses a cache line
  Pages pages = Pages::small;
  bool whole = true;  // numbers
  bool timed = false;
  int calls = 1;  // per timing: what lies in a cache is read several times

  /// Numbers of which the sum is judged: of a large timed array the first eight pieces and a bit.
  std::int64_t judged() const { return std::min<std::int64_t>(n, (std::int64_t{8} << 18) + 77); }

  /// The first `count` numbers. They are made at the first call and exist as long as a caller holds them.
  std::shared_ptr<const Input> input(std::int64_t count) const {
    static std::mutex mutex;
    const std::lock_guard lock(mutex);
    std::weak_ptr<const Input>& made = count == n ? all : some;
    std::shared_ptr<const Input> have = made.lock();
    if (have == nullptr) made = have = std::make_shared<const Input>(count, shift, pages, whole);
    return have;
  }
  mutable std::weak_ptr<const Input> all = {}, some = {};
};

std::vector<Case> cases() {
  constexpr std::int64_t kMany = std::int64_t{64} << 20;
  std::vector<Case> list;
  for (const std::int64_t n : {0, 1, 7, 8, 63, 64, 129, 1000, 4096, 16383}) {
    for (const std::int64_t shift : {0, 3}) {
      list.push_back({fmt::format("{}, start shifted by {}", counted(n, "number"), shift), n, shift});
    }
  }
  list.push_back({"three pieces and a bit", 3 * (std::int64_t{1} << 18) + 77, 1});
  list.push_back({"fractions", 1'000'003, 0, Pages::small, false});
  list.push_back({"32 kB, from the first-level cache", 8 << 10, 0, Pages::small, true, true, 64});
  list.push_back({"256 MB, pages of 4 kB", kMany, 0, Pages::small, true, true});
  list.push_back({"256 MB, pages of 2 MB", kMany, 0, Pages::large, true, true});
  return list;
}

Verdict judge(const Ladder<Bandwidth>& ladder, const std::string& rung, int threads, const Case& c) {
  const std::shared_ptr<const Input> input = c.input(c.judged());
  const float got = ladder.make(rung, {threads})->sum(input->data);
  Verdict verdict;
  verdict.error = std::fabs(got - input->sum);
  // Sums of integers are exact. Otherwise, this is the bound of n successive additions, which holds for any
  // order.
  verdict.tolerance =
      c.whole ? 0
              : static_cast<double>(c.judged()) * std::numeric_limits<float>::epsilon() / 2 * input->absolute;
  const auto failed = [&](const std::string& expected, const std::string& actual) {
    verdict.fail(mismatch(c.name, fmt::format("{} numbers", c.judged()), "the sum", expected, actual));
  };
  if (!(verdict.error <= verdict.tolerance)) {
    failed(fmt::format("{:.9g}", input->sum),
           fmt::format("{:.9g}, difference {:.3g}, allowed {:.3g}{}", got, verdict.error, verdict.tolerance,
                       std::isnan(got) ? "; there is NaN on both sides of the array" : ""));
  } else if (const float alone = ladder.make(rung, {1})->sum(input->data);
             std::bit_cast<std::uint32_t>(alone) != std::bit_cast<std::uint32_t>(got)) {
    failed(fmt::format("{:.9g} with {} threads, as with one", alone, threads), fmt::format("{:.9g}", got));
  }
  return verdict;
}

}  // namespace

std::vector<Trial> trials(const Ladder<Bandwidth>& ladder) {
  const auto judge_one = [&ladder](const std::string& rung, int threads, const Case& c) {
    return judge(ladder, rung, threads, c);
  };
  return trials_of(cases(), judge_one, [&ladder](Trial& trial, std::shared_ptr<const Case> c) {
    trial.work.bytes = 4.0 * static_cast<double>(c->n) * c->calls;
    trial.work.flops = 1.0 * static_cast<double>(c->n) * c->calls;
    trial.prepare = [c, &ladder](const std::string& rung, int threads) -> std::function<void()> {
      const std::shared_ptr<Bandwidth> reader = ladder.make(rung, {threads});
      return [c, reader, input = c->input(c->n)] {
        for (int i = 0; i < c->calls; ++i) reader->sum(input->data);
      };
    };
  });
}

}  // namespace rung::memory_bandwidth
