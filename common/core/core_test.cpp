// Tests of number formats, random numbers, ladders and comparisons, which all other code uses.

#include <cmath>
#include <cstring>
#include <Eigen/Core>
#include <limits>
#include <vector>

#include "core/dtype.hpp"
#include "core/error.hpp"
#include "core/guarded_buffer.hpp"
#include "core/parallel.hpp"
#include "core/registry.hpp"
#include "core/rng.hpp"
#include "core/simd.hpp"
#include "core/tensor.hpp"
#include "testing/catch.hpp"

using namespace rung;

TEST_CASE("every binary16 value converts as Eigen converts it") {
  for (std::uint32_t h = 0; h < 65536; ++h) {
    const float ours = f16_to_f32(static_cast<std::uint16_t>(h));
    const float theirs =
        Eigen::half_impl::half_to_float(Eigen::half_impl::raw_uint16_to_half(static_cast<std::uint16_t>(h)));
    if (std::isnan(theirs)) {
      REQUIRE(std::isnan(ours));
    } else {
      REQUIRE(std::memcmp(&ours, &theirs, 4) == 0);
      REQUIRE(f32_to_f16(ours) == h);
    }
  }
}

TEST_CASE("binary32 rounds to binary16 and bfloat16 as Eigen rounds it") {
  Rng rng(1);
  for (int i = 0; i < 2'000'000; ++i) {
    const auto bits = static_cast<std::uint32_t>(rng.next());
    float value;
    std::memcpy(&value, &bits, 4);
    if (std::isnan(value)) {
      REQUIRE(std::isnan(f16_to_f32(f32_to_f16(value))));
      REQUIRE(std::isnan(bf16_to_f32(f32_to_bf16(value))));
      continue;
    }
    REQUIRE(f32_to_f16(value) == Eigen::half_impl::float_to_half_rtne(value).x);
    REQUIRE(f32_to_bf16(value) == Eigen::bfloat16_impl::float_to_bfloat16_rtne<false>(value).value);
    // The halves' own range is a sliver of all floats: look there too.
    const float small = std::ldexp(static_cast<float>(rng.normal()), static_cast<int>(rng.below(40)) - 28);
    REQUIRE(f32_to_f16(small) == Eigen::half_impl::float_to_half_rtne(small).x);
  }
}

TEST_CASE("tensor slices address what they say") {
  std::vector<float> data(6 * 10);
  for (std::size_t i = 0; i < data.size(); ++i) data[i] = static_cast<float>(i);
  const Tensor t(data.data(), DType::f32, 6, 10);
  const Tensor s = t.row_slice(2, 3).col_slice(4, 2);
  CHECK(s.rows == 3);
  CHECK(s.cols == 2);
  CHECK(*s.ptr<float>(1) == 34.0f);
  CHECK(s.bytes() == 24);
}

TEST_CASE("random numbers depend on seed and index alone and look uniform") {
  Rng a(7), b(7, 3);
  a.next(), a.next(), a.next();
  CHECK(a.next() == b.next());
  CHECK(Rng(7).next() != Rng(8).next());
  Rng rng(9);
  double sum = 0, square = 0;
  constexpr int kDraws = 200'000;
  for (int i = 0; i < kDraws; ++i) {
    const double u = rng.uniform();
    REQUIRE(u >= 0.0);
    REQUIRE(u < 1.0);
    sum += u;
    square += u * u;
  }
  CHECK(std::fabs(sum / kDraws - 0.5) < 0.004);  // 6 standard deviations
  CHECK(std::fabs(square / kDraws - 1.0 / 3) < 0.004);
}

TEST_CASE("loops visit every index once, whatever the threads") {
  for (const int threads : {1, 2, 5}) {
    for (const int n : {0, 1, 2, 17, 1000}) {
      std::vector<int> seen(static_cast<std::size_t>(n), 0);
      parallel_for(threads, n, [&](std::int64_t i) { ++seen[static_cast<std::size_t>(i)]; });
      parallel_for_dynamic(threads, n, [&](std::int64_t i) { ++seen[static_cast<std::size_t>(i)]; });
      for (const int count : seen) REQUIRE(count == 2);
      for (const std::int64_t longest : {1, 3, 2000}) {
        parallel_for_stretches(threads, n, longest, [&](std::int64_t begin, std::int64_t end) {
          if (begin >= end || end - begin > longest) ++seen.at(0);  // neither empty nor too long
          for (std::int64_t i = begin; i < end; ++i) ++seen[static_cast<std::size_t>(i)];
        });
      }
      for (const int count : seen) REQUIRE(count == 5);
    }
  }
}

TEST_CASE("compare fails on NaN, on infinity and beyond the tolerance, and says where") {
  const std::vector<double> expected = {1, 2, 3, 4, 5, 6};
  const std::vector<double> tolerance = {0.1};
  std::vector<float> got = {1, 2, 3, 4, 5, 6};
  CHECK(compare("same", {{"row", 2}, {"col", 3}}, got, expected, tolerance).status ==
        Verdict::Status::passed);
  got[4] = 5.5f;
  const Verdict wrong = compare("case", {{"row", 2}, {"col", 3}}, got, expected, tolerance);
  CHECK(wrong.status == Verdict::Status::failed);
  CHECK(wrong.message ==
        "trial:     case, shape [2 rows, 3 cols]\nindex:     row 1 of 2, col 1 of 3, counted from "
        "0\nexpected:  5\n"
        "actual:    5.5, difference 0.5, allowed 0.1\n");
  got[1] = std::numeric_limits<float>::quiet_NaN();
  CHECK(compare("nan", {{"row", 2}, {"col", 3}}, got, expected, tolerance)
            .message.find("col 1 of 3, counted from 0\nexpected:  2\nactual:    nan") != std::string::npos);
}

TEST_CASE("guarded buffers notice writes beside the output") {
  GuardedBuffer buffer(3, 4, 6);
  const Tensor t = buffer.tensor();
  for (int r = 0; r < 3; ++r) {
    for (int c = 0; c < 4; ++c) t.ptr<float>(r)[c] = 1.0f;
  }
  buffer.check_guards();
  CHECK(buffer.values() == std::vector<float>(12, 1.0f));
  t.ptr<float>(1)[4] = 0.0f;  // the gap between rows
  CHECK_THROWS_AS(buffer.check_guards(), Error);
}

namespace {
struct Toy {
  static constexpr std::string_view kSeam = "toy";
  struct Config {
    int size = 0;
    std::string describe() const { return fmt::format("size {}", size); }
  };
  int rung = 0;
};
}  // namespace

TEST_CASE("auto is the highest rung that supports the configuration and is not the learner's") {
  Registry registry;
  const auto add = [&](const char* name, int value, int limit, bool exercise) {
    Rung<Toy> rung;
    rung.info = {name, "toy.cpp", "", exercise};
    rung.make = [value](const Toy::Config&) { return std::make_unique<Toy>(Toy{value}); };
    rung.supports = [limit](const Toy::Config& config) { return config.size <= limit; };
    registry.ladder<Toy>().add(std::move(rung));
  };
  add("plain", 0, 1000, false);
  add("fast", 1, 10, false);
  add("mine", 2, 1000, true);
  const Registry& read = registry;
  CHECK(read.ladder<Toy>().make("auto", {5})->rung == 1);
  CHECK(read.ladder<Toy>().make("auto", {50})->rung == 0);
  CHECK(read.ladder<Toy>().make("mine", {50})->rung == 2);
  CHECK_THROWS_WITH(read.ladder<Toy>().make("fast", {50}),
                    "rung 'fast' of seam toy does not support size 50; 'auto' chooses one that does");
  CHECK_THROWS_WITH(read.ladder<Toy>().make("best", {5}),
                    "seam toy has no rung 'best'; choose one of: auto, float32, in_place, plain, fast, mine");
  CHECK_THROWS_WITH(read.find("toys"), "unknown seam 'toys'; choose one of: toy");
}

TEST_CASE("float32 and in_place are the highest rungs of their kind") {
  Registry registry;
  Ladder<Toy>& ladder = registry.ladder<Toy>();
  const auto add = [&](int value, bool automatic, Arithmetic arithmetic, bool copies) {
    ladder.add({{fmt::format("rung{}", value), "toy.cpp", "", false, automatic, true, arithmetic, copies},
                [value](const Toy::Config&) { return std::make_unique<Toy>(Toy{value}); },
                {}});
  };
  add(0, true, Arithmetic::float32, false);
  add(1, true, Arithmetic::float32, true);
  add(2, true, Arithmetic::int8, false);
  add(3, true, Arithmetic::bf16, true);
  add(4, false, Arithmetic::float32, false);
  CHECK(ladder.make("auto", {5})->rung == 3);
  CHECK(ladder.make("float32", {5})->rung == 1);
  CHECK(ladder.make("in_place", {5})->rung == 0);
  CHECK(ladder.make("rung4,float32", {5})->rung == 4);
  CHECK_NOTHROW(ladder.check("float32,in_place"));
}

TEST_CASE(
    "a choice may name several rungs: the first that supports the configuration; some are never `auto`") {
  Registry registry;
  Ladder<Toy>& ladder = registry.ladder<Toy>();
  const auto add = [&](const char* name, int value, int limit, bool automatic) {
    ladder.add({{name, "toy.cpp", "", false, automatic},
                [value](const Toy::Config&) { return std::make_unique<Toy>(Toy{value}); },
                [limit](const Toy::Config& config) { return config.size <= limit; }});
  };
  add("plain", 0, 1000, true);
  add("rounds", 1, 100, false);
  add("packs", 2, 10, false);
  CHECK(ladder.make("auto", {5})->rung == 0);
  CHECK(ladder.make("packs,rounds", {5})->rung == 2);
  CHECK(ladder.make("packs,rounds", {50})->rung == 1);
  CHECK(ladder.make("packs,rounds,auto", {500})->rung == 0);
  CHECK(ladder.make("auto,packs", {5})->rung == 0);
  CHECK(ladder.supports("packs", {10}));
  CHECK_FALSE(ladder.supports("packs", {11}));
  CHECK_THROWS_WITH(
      ladder.make("packs,rounds", {500}),
      "rung 'packs,rounds' of seam toy does not support size 500; 'auto' chooses one that does");
  CHECK_THROWS_WITH(ladder.make("packs,auto", {5000}),
                    "rung 'packs,auto' of seam toy does not support size 5000; 'auto' chooses one that does");
  for (const char* wrong : {"packs,best", "best,packs", "packs,", ",packs", "", "packs packs"}) {
    CHECK_THROWS_AS(ladder.make(wrong, {5}), UsageError);
    CHECK_THROWS_AS(ladder.check(wrong), UsageError);
  }
  CHECK_NOTHROW(ladder.check("auto,packs"));
}
