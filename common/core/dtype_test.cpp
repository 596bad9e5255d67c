// Tests of number formats: packing and unpacking are inverse, quantizers keep their error bounds, and unusual
// blocks work. files/gguf_types_parity_test.cpp compares the formats with other implementations.

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "core/dtype.hpp"
#include "core/dtype_k.hpp"
#include "core/dtype_plain.hpp"
#include "core/error.hpp"
#include "core/rng.hpp"
#include "testing/catch.hpp"

using namespace rung;

namespace {

/// The largest step between two values that a format has for a block, as a part of the block's whole range.
/// Levels lie evenly but in the last two: IQ4_NL's outermost values are 24 of 240 apart, MXFP4's 2 of 12.
struct Step {
  DType type;
  double step;
};
constexpr Step kSteps[] = {{DType::q8_0, 1.0 / 254}, {DType::q4_0, 1.0 / 16}, {DType::q4_1, 1.0 / 15},
                           {DType::q5_0, 1.0 / 32},  {DType::q5_1, 1.0 / 31}, {DType::q2_k, 1.0 / 3},
                           {DType::q3_k, 1.0 / 8},   {DType::q4_k, 1.0 / 15}, {DType::q5_k, 1.0 / 31},
                           {DType::q6_k, 1.0 / 64},  {DType::iq4_nl, 0.1},    {DType::mxfp4, 1.0 / 6}};

std::vector<float> round_trip(DType type, const std::vector<float>& x) {
  std::vector<std::byte> blocks(bytes_of(type, static_cast<std::int64_t>(x.size())));
  std::vector<float> back(x.size(), std::nanf(""));
  traits(type).from_float(x.data(), blocks.data(), static_cast<std::int64_t>(x.size()));
  traits(type).to_float(blocks.data(), back.data(), static_cast<std::int64_t>(x.size()));
  return back;
}

/// Root of the mean squared error.
double error_of(const std::vector<float>& x, const std::vector<float>& back) {
  double sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double difference = static_cast<double>(back[i]) - x[i];
    sum += difference * difference;
  }
  return std::sqrt(sum / static_cast<double>(x.size()));
}

template <class Block>
void check_layout(int low, int high, int low_scale, int high_scale, int sub_blocks, bool minima) {
  Rng rng(3);
  for (int round = 0; round < 20; ++round) {
    KIntegers k = {};
    const auto between = [&](int a, int b) {
      return a + static_cast<int>(rng.below(static_cast<std::uint64_t>(b - a + 1)));
    };
    for (std::int8_t& q : k.quants) q = static_cast<std::int8_t>(between(low, high));
    for (int j = 0; j < sub_blocks; ++j) {
      k.scales[j] = static_cast<std::int8_t>(between(low_scale, high_scale));
      if (minima) k.minima[j] = static_cast<std::uint8_t>(between(low_scale, high_scale));
    }
    k.d = static_cast<std::uint16_t>(rng.below(65536));
    k.d_min = static_cast<std::uint16_t>(minima ? rng.below(65536) : 0);
    Block block;
    std::memset(&block, 0xff, sizeof block);
    formats::pack(k, block);
    KIntegers back;
    formats::unpack(block, back);
    REQUIRE(std::equal(k.quants, k.quants + kKElements, back.quants));
    REQUIRE(std::equal(k.scales, k.scales + sub_blocks, back.scales));
    REQUIRE(std::equal(k.minima, k.minima + sub_blocks, back.minima));
    REQUIRE(k.d == back.d);
    REQUIRE(k.d_min == back.d_min);
  }
}

}  // namespace

TEST_CASE("the layouts of the K formats hold every integer they promise") {
  check_layout<BlockQ2K>(0, 3, 0, 15, 16, true);
  check_layout<BlockQ3K>(-4, 3, -32, 31, 16, false);
  check_layout<BlockQ4K>(0, 15, 0, 63, 8, true);
  check_layout<BlockQ5K>(0, 31, 0, 63, 8, true);
  check_layout<BlockQ6K>(-32, 31, -128, 127, 16, false);
}

// Numbers spread evenly over a range, rounded to the nearest of steps that are s of the range apart, are off
// by s / sqrt(12) of the range in the root mean square. A fifth more allows for scales that are rounded too
// and for Q4_0's and Q5_0's positive end, which is cut off by half a step.
TEST_CASE("a quantizer's error is that of its step") {
  Rng rng(2);
  std::vector<float> x(256 * 64);
  for (float& v : x) v = static_cast<float>(rng.uniform() * 2.0 - 1.0);
  for (const auto& [type, step] : kSteps) {
    const double allowed = 1.2 * 2.0 * step / std::sqrt(12.0);
    const double error = error_of(x, round_trip(type, x));
    INFO(traits(type).name << ": error " << error << ", allowed " << allowed);
    CHECK(error <= allowed);
    CHECK(error >= 0.3 * allowed);  // the bound says something
  }
}

TEST_CASE("no element of a block is off by more than its outlier makes it") {
  Rng rng(4);
  std::vector<float> x(256 * 50);
  for (float& v : x) v = static_cast<float>(rng.normal());
  for (std::size_t i = 0; i < x.size(); i += 301) x[i] = (i % 2 == 0 ? 40.0f : -40.0f);
  for (const auto& [type, step] : kSteps) {
    const auto back = round_trip(type, x);
    const auto block = static_cast<std::size_t>(traits(type).block_elements);
    for (std::size_t b = 0; b < x.size(); b += block) {
      float largest = 0;
      for (std::size_t i = b; i < b + block; ++i) largest = std::max(largest, std::fabs(x[i]));
      // A least-squares scale may cut an end off by a step; the K formats round their scales to a block's.
      const double allowed = 2.0 * step * 2.0 * static_cast<double>(largest);
      for (std::size_t i = b; i < b + block; ++i) {
        INFO(traits(type).name << "[" << i << "]: " << x[i] << " became " << back[i]);
        REQUIRE(std::fabs(static_cast<double>(back[i]) - x[i]) <= allowed);
      }
    }
  }
}

TEST_CASE("zeros, constants, the smallest and the largest numbers are blocks like others") {
  for (const auto& [type, step] : kSteps) {
    INFO(traits(type).name);
    for (const float value : {0.0f, -0.0f, std::numeric_limits<float>::denorm_min(), 1e-30f}) {
      const auto back = round_trip(type, std::vector<float>(256, value));
      // MXFP4's scales reach as far down as floats do; all others store such a scale as 0.
      for (const float v : back) REQUIRE(std::fabs(v) <= std::fabs(value) * 1.2f);
    }
    std::vector<float> sparse(256, 0.0f);
    sparse[7] = 1.2e-38f;  // just above the smallest normal number: its inverse times 32 is infinite
    for (const float v : round_trip(type, sparse)) REQUIRE(std::fabs(v) <= 1.5e-38f);
    for (const float value : {3.0f, -3.0f, 65504.0f, -65504.0f, 0.001f, -0.001f}) {
      const auto back = round_trip(type, std::vector<float>(256, value));
      for (const float v : back) REQUIRE(std::fabs(v - value) <= std::fabs(value) * static_cast<float>(step));
    }
    // The whole range at once, in neighboring blocks and in the same one.
    std::vector<float> x(512, 1e-6f);
    x[0] = 65504.0f;
    x[1] = -65504.0f;
    const auto back = round_trip(type, x);
    for (const float v : back) REQUIRE(std::isfinite(v));
    REQUIRE(std::fabs(back[0] - x[0]) <= 65504.0f * 2.0f * static_cast<float>(step) * 1.1f);
  }
}

TEST_CASE("8-bit floats: every value is its own nearest, ties go to even, what is too large saturates") {
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    const float value = f8_e4m3_to_f32(static_cast<std::uint8_t>(byte));
    if ((byte & 0x7f) == 0x7f) {
      REQUIRE(std::isnan(value));
      continue;
    }
    REQUIRE(f32_to_f8_e4m3(value) == byte);
    if ((byte & 0x7f) == 0x7e) continue;
    const float next = f8_e4m3_to_f32(static_cast<std::uint8_t>(byte + 1));
    const float middle = (value + next) / 2;
    REQUIRE(f32_to_f8_e4m3(middle) == (byte % 2 == 0 ? byte : byte + 1));
    REQUIRE(f32_to_f8_e4m3(std::nextafter(middle, value)) == byte);
    REQUIRE(f32_to_f8_e4m3(std::nextafter(middle, next)) == byte + 1);
  }
  CHECK(f8_e4m3_to_f32(0x7e) == 448.0f);
  CHECK(f8_e4m3_to_f32(0x01) == 0x1p-9f);
  CHECK(f32_to_f8_e4m3(449.0f) == 0x7e);
  CHECK(f32_to_f8_e4m3(-1e30f) == 0xfe);
  CHECK(f32_to_f8_e4m3(std::numeric_limits<float>::infinity()) == 0x7e);
  CHECK((f32_to_f8_e4m3(std::nanf("")) & 0x7f) == 0x7f);
  CHECK(f32_to_f8_e4m3(-0.0f) == 0x80);
}

TEST_CASE("mxfp8: powers of two are exact, the largest survives, every element keeps four bits") {
  Rng rng(11);
  for (const float scale : {1e-35f, 1e-6f, 1.0f, 3e5f, 1e37f}) {
    std::vector<float> x(64);
    for (float& v : x) v = scale * static_cast<float>(rng.normal());
    x[5] = x[40] = 0.0f;
    const std::vector<float> back = round_trip(DType::mxfp8, x);
    for (std::size_t b = 0; b < x.size(); b += 32) {
      float largest = 0;
      for (std::size_t i = b; i < b + 32; ++i) largest = std::max(largest, std::fabs(x[i]));
      for (std::size_t i = b; i < b + 32; ++i) {
        INFO(x[i] << " beside " << largest);
        // Half of the last of four bits; below 2^-14 of the largest, half of the smallest step.
        CHECK(std::fabs(back[i] - x[i]) <= std::max(std::fabs(x[i]) / 16, largest * 0x1p-17f));
      }
    }
  }
  std::vector<float> exact(32, 0.0f);
  for (std::size_t i = 0; i < 32; ++i)
    exact[i] = std::ldexp(i % 2 == 0 ? 1.0f : -1.0f, -static_cast<int>(i / 2));
  exact[31] = 1.75f;
  CHECK(round_trip(DType::mxfp8, exact) == exact);
  exact[7] = std::numeric_limits<float>::infinity();
  for (const float v : round_trip(DType::mxfp8, exact)) CHECK(std::isnan(v));
  CHECK(round_trip(DType::mxfp8, std::vector<float>(32, 0.0f)) == std::vector<float>(32, 0.0f));
}

TEST_CASE("every format has a name, whole blocks and an alignment that divides them") {
  for (int d = 0; d < kDTypeCount; ++d) {
    const DTypeTraits& t = traits(static_cast<DType>(d));
    INFO(t.name);
    CHECK(t.block_bytes % t.alignment == 0);  // else every other row would be unaligned
    CHECK((t.to_float == nullptr) == (t.from_float == nullptr));
    if (t.from_float != nullptr) CHECK(dtype_from_name(t.name) == static_cast<DType>(d));
  }
}

TEST_CASE("an unknown format names the known ones") {
  try {
    dtype_from_name("q9");
    FAIL("accepted q9");
  } catch (const UsageError& error) {
    CHECK(std::string(error.what()) ==
          "unknown number format 'q9'; choose one of: f32, f16, bf16, f8_e4m3, q8_0, q4_0, q4_1, q5_0, q5_1, "
          "q2_k, "
          "q3_k, "
          "q4_k, q5_k, q6_k, iq4_nl, mxfp4, mxfp8");
  }
}
