// Every rung against exact sums, and what the lesson says about them.

#include <algorithm>
#include <limits>
#include <vector>

#include "memory_bandwidth.hpp"
#include "testing/topic_test.hpp"

using namespace rung;
using namespace rung::memory_bandwidth;

namespace {

const Ladder<Bandwidth>& ladder() { return testing::ladder_of<Bandwidth, register_rungs>(); }

}  // namespace

TEST_CASE("every rung gives the exact sum, with the same bits for every number of threads") {
  testing::judge_all(testing::registry_of<register_rungs>(), "bandwidth");
}

TEST_CASE("one sum of many ones stops at 2^24; several sums go on") {
  const std::vector<float> ones((1 << 24) + (1 << 20), 1.0f);
  CHECK(ladder().make("naive", {1})->sum(ones) == 0x1p24f);
  for (const char* rung : {"chains", "simd", "threads", "prefetch", "streams"}) {
    INFO(rung);
    CHECK(ladder().make(rung, {2})->sum(ones) == static_cast<float>(ones.size()));
  }
}

TEST_CASE("a NaN anywhere is found: nothing is left unread") {
  std::vector<float> data(3 * (1 << 18) + 5, 1.0f);
  for (const std::size_t at : {std::size_t{0}, std::size_t{31}, std::size_t{1} << 18,
                               (std::size_t{1} << 19) - 1, data.size() - 6, data.size() - 1}) {
    data[at] = std::numeric_limits<float>::quiet_NaN();
    for (const RungInfo& rung : ladder().rungs()) {
      if (rung.exercise) continue;
      INFO(rung.name << ", index " << at);
      const float sum = ladder().make(rung.name, {2})->sum(data);
      CHECK(sum != sum);
    }
    data[at] = 1.0f;
  }
}

TEST_CASE("no threads cannot be") {
  CHECK_THROWS_WITH(ladder().make("threads", {0}), testing::contains("at least one is needed"));
}
