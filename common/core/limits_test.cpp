// Tests that the loops that measure the machine's limits compute correct results. No test checks their speed.

#include <limits>

#include "core/dot_kernels.hpp"
#include "core/large_array.hpp"
#include "core/limits_kernels.hpp"
#include "core/simd.hpp"
#include "core/tile_kernels.hpp"
#include "testing/catch.hpp"

using namespace rung;

TEST_CASE("products of bytes add up exactly, by whatever instructions") {
  simd_level();
  for (const std::int64_t rounds : {0, 1, 2, 777}) {
    std::int64_t sum = -1;
    const double operations = int8_rounds(rounds, &sum);
    INFO(rounds << " rounds");
    CHECK(operations >= 2.0 * 64 * static_cast<double>(rounds));
    CHECK(static_cast<double>(sum) == operations / 2 * 31 / 4);
  }
}

TEST_CASE("products of bfloat16 ones count themselves, or there are none") {
  simd_level();
  float sum = -1;
  const double flops = bf16_rounds(100, &sum);
  if (flops == 0) {
    CHECK(sum == -1);
  } else {
    CHECK(static_cast<double>(sum) == flops / 2);
  }
}

TEST_CASE("products of matrix tiles count themselves, or there are no tiles") {
  simd_level();
  std::int64_t bytes = -1;
  const double operations = int8_tile_rounds(100, &bytes);
  CHECK((operations > 0) == dot_instructions().amx_int8);
  CHECK(bytes == (operations > 0 ? static_cast<std::int64_t>(operations / 2) : -1));
  float sum = -1;
  const double flops = bf16_tile_rounds(100, &sum);
  CHECK((flops > 0) == dot_instructions().amx_bf16);
  CHECK(static_cast<double>(sum) == (flops > 0 ? flops / 2 : -1));
}

TEST_CASE("multiply-adds stay finite and are counted") {
  simd_level();
  float sink = 0.5f;
  CHECK(fma_rounds(1000, &sink) >= 12.0 * 2 * 1000);
  CHECK(sink > 0.0f);
  CHECK(sink < std::numeric_limits<float>::infinity());
}

TEST_CASE("a large array begins at a page of 2 MB, is zero, and ends where it says") {
  for (const Pages pages : {Pages::small, Pages::large}) {
    for (const std::int64_t count : {0, 1, 1 << 20}) {
      const LargeArray array(count, pages);
      CHECK(reinterpret_cast<std::uintptr_t>(array.begin()) % (1 << 21) == 0);
      REQUIRE(array.span().size() == static_cast<std::size_t>(count));
      for (float& x : array.span()) {
        REQUIRE(x == 0.0f);
        x = 1.0f;
      }
    }
  }
}
