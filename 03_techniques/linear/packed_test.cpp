// The integer rungs: `int8` against the weights' own definition, `packed` against `int8`, bit for bit, in
// every format that is made of integers.

#include <cmath>
#include <cstring>
#include <limits>

#include "core/dtype_codebook.hpp"
#include "integers.hpp"
#include "packed_layout.hpp"
#include "test_support.hpp"
#include "testing/catch.hpp"

using namespace rung;
using namespace rung::linear;

namespace {

constexpr std::int64_t kIn = 256;  // a block of the K formats, eight of all others

std::vector<DType> integer_formats() {
  std::vector<DType> formats;
  for (int d = 0; d < kDTypeCount; ++d) {
    if (has_integers(static_cast<DType>(d))) formats.push_back(static_cast<DType>(d));
  }
  return formats;
}

/// Where a block has its quants. Beside them are only scales and minima.
struct QuantBytes {
  std::size_t first, count;
};
QuantBytes quant_bytes(DType dtype) {
  switch (dtype) {
    case DType::q8_0:
      return {2, 32};
    case DType::q4_0:
    case DType::iq4_nl:
      return {2, 16};
    case DType::q4_1:
      return {4, 16};
    case DType::q5_0:
      return {2, 20};
    case DType::q5_1:
      return {4, 20};
    case DType::mxfp4:
      return {1, 16};
    case DType::q2_k:
      return {16, 64};
    case DType::q3_k:
      return {0, 96};
    case DType::q4_k:
      return {16, 128};
    case DType::q5_k:
      return {16, 160};
    case DType::q6_k:
      return {0, 192};
    default:
      fail("{} has no integers", traits(dtype).name);
  }
}

/// Sets every byte of every quant.
void set_quants(Problem& p, int byte) {
  const DTypeTraits& format = traits(p.weight.dtype);
  const QuantBytes at = quant_bytes(p.weight.dtype);
  for (std::size_t block = 0; block < p.storage.size();
       block += static_cast<std::size_t>(format.block_bytes)) {
    std::memset(p.storage.data() + block + at.first, byte, at.count);
  }
}

/// The same bits, or both no number.
bool same_numbers(const std::vector<float>& a, const std::vector<float>& b) {
  const auto same = [](float x, float y) {
    return std::memcmp(&x, &y, sizeof x) == 0 || (std::isnan(x) && std::isnan(y));
  };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), same);
}

}  // namespace

TEST_CASE("a format's integers, scales and minima are its weights") {
  for (const DType dtype : integer_formats()) {
    INFO(traits(dtype).name);
    const Problem p(dtype, 1, 768, 9);
    std::vector<float> expected(768);
    std::vector<IntegerBlock> blocks(768 / kIntegerBlock);
    float largest_minimum = 0;
    bool halves_differ = false;
    for (std::int64_t r = 0; r < 9; ++r) {
      read_row(p.weight, r, expected.data());
      read_integers(dtype, p.weight.row(r), 768, blocks.data());
      for (std::size_t i = 0; i < expected.size(); ++i) {
        const IntegerBlock& block = blocks[i / kIntegerBlock];
        const std::size_t j = i % kIntegerBlock, half = j / 16;
        REQUIRE(block.scale[half] * static_cast<float>(block.quants[j]) + block.minimum[half] == expected[i]);
        largest_minimum = std::max(largest_minimum, std::fabs(block.minimum[half]));
        halves_differ = halves_differ || block.scale[0] != block.scale[1];
      }
    }
    CHECK((largest_minimum > 0) == has_minimum(dtype));
    CHECK(halves_differ == (scales_per_block(dtype) == 2));
  }
}

// The numbers of the lesson's table: those of the files, but 8 bits for each scale and minimum that has 6
// there.
TEST_CASE("every format of integers has a packed layout, no larger than the lesson says") {
  const std::vector<std::pair<DType, double>> bits = {
      {DType::q8_0, 8.5},   {DType::q4_0, 4.5},    {DType::q4_1, 5.0},    {DType::q5_0, 5.5},
      {DType::q5_1, 6.0},   {DType::q2_k, 2.625},  {DType::q3_k, 3.5625}, {DType::q4_k, 4.625},
      {DType::q5_k, 5.625}, {DType::q6_k, 6.5625}, {DType::iq4_nl, 4.5},  {DType::mxfp4, 4.25}};
  std::vector<DType> formats;
  for (const auto& [dtype, expected] : bits) {
    INFO(traits(dtype).name);
    formats.push_back(dtype);
    const PackedFormat format = packed_format(dtype);
    CHECK(8.0 * static_cast<double>(packed_bytes(format, kPanelRows, kIn)) / (kPanelRows * kIn) == expected);
    CHECK(format.minimum == has_minimum(dtype));
    CHECK(format.halves == scales_per_block(dtype));
    CHECK(supports("packed", dtype));
  }
  CHECK(formats == integer_formats());
}

TEST_CASE("packed weights give the bits of int8, and int8 those of its definition at every SIMD level") {
  // One row past a panel, one short of it, and so few that one panel is not filled.
  for (const std::int64_t out : {33, 31, 5}) {
    for (const std::int64_t tokens : {1, 3, 19, 64}) {
      for (const DType dtype : integer_formats()) {
        INFO(traits(dtype).name << ", " << out << " rows, " << tokens << " tokens");
        const Problem p(dtype, tokens, 768, out);
        CHECK(multiply("packed", p.weight, p.x, 2) == multiply("int8", p.weight, p.x, 1));
      }
    }
  }
}

TEST_CASE("int8 and packed: no tokens, no work") {
  for (const DType dtype : integer_formats()) {
    const Problem p(dtype, 1, kIn, 8);
    for (const char* rung : {"int8", "packed"}) {
      CHECK(multiply(rung, p.weight, p.x.row_slice(0, 0), 2).empty());
    }
  }
}

TEST_CASE("int8: extreme quants and inputs do not overflow") {
  for (const DType dtype : integer_formats()) {
    Problem p(dtype, 3, kIn, 16);
    std::vector<float> ones(kIn);
    for (std::size_t i = 0; i < ones.size(); ++i) ones[i] = i % 2 == 0 ? 1.0f : -1.0f;
    for (std::int64_t r = 0; r < 16; ++r) traits(dtype).from_float(ones.data(), p.weight.row(r), kIn);
    // 127 steps exactly: all up, all down, and one token of both.
    for (std::size_t i = 0; i < p.inputs.size(); ++i) {
      p.inputs[i] = i < kIn ? 3.0f : i < 2 * kIn || p.inputs[i] < 0 ? -3.0f : 3.0f;
    }
    // All bits set, all bits of the sign, none, and the largest of each table: the outermost quants there are
    // (-128 in q8_0, which no quantizer writes).
    for (const int byte : {0xff, 0x80, 0x00, 0x77}) {
      INFO(traits(dtype).name << ", bytes " << byte);
      set_quants(p, byte);
      const auto exact = multiply("naive", p.weight, p.x, 1);
      for (const char* rung : {"int8", "packed"}) {
        const auto got = multiply(rung, p.weight, p.x, 1);
        for (std::size_t i = 0; i < got.size(); ++i) {
          CHECK(std::fabs(got[i] - exact[i]) <= 1e-5f * std::fabs(exact[i]) + 1e-2f);
        }
      }
    }
  }
}

TEST_CASE("int8: rounding x costs at most half a step per column") {
  for (const DType dtype : integer_formats()) {
    INFO(traits(dtype).name);
    const Problem p(dtype, 7, 768, 40);
    const auto exact = multiply("naive", p.weight, p.x, 1);
    const auto rounded = multiply("int8", p.weight, p.x, 1);
    std::vector<float> row(768);
    double largest_share = 0;
    for (std::int64_t o = 0; o < 40; ++o) {
      read_row(p.weight, o, row.data());
      for (std::int64_t t = 0; t < 7; ++t) {
        double bound = 0;
        for (std::size_t b = 0; b < row.size(); b += 32) {
          float extreme = 0;
          double weights = 0;
          for (std::size_t i = b; i < b + 32; ++i) {
            extreme = std::max(extreme, std::fabs(p.x.ptr<float>(t)[i]));
            weights += std::fabs(row[i]);
          }
          bound += weights * extreme / 254;
        }
        const auto at = static_cast<std::size_t>(t * 40 + o);
        const double difference = std::fabs(static_cast<double>(rounded[at]) - exact[at]);
        CHECK(difference <= bound * 1.01);
        largest_share = std::max(largest_share, difference / bound);
      }
    }
    CHECK(largest_share > 0.01);  // it does round
  }
}

TEST_CASE("int8: a NaN or an infinity in x is not hidden, and stays in its row") {
  for (const DType dtype : integer_formats()) {
    for (const std::int64_t tokens : {3, 19}) {  // 19: tiles, where there are any
      for (const float poison : {std::nanf(""), std::numeric_limits<float>::infinity()}) {
        Problem p(dtype, tokens, kIn, 20);
        p.inputs[kIn + 40] = poison;
        for (const char* rung : {"int8", "packed"}) {
          INFO(rung << " " << traits(dtype).name << ", " << tokens << " tokens");
          const auto y = multiply(rung, p.weight, p.x, 1);
          for (std::size_t i = 0; i < y.size(); ++i) REQUIRE(std::isfinite(y[i]) == (i / 20 != 1));
        }
      }
    }
  }
}

TEST_CASE("int8: rows of zeros and of numbers too small to divide by") {
  for (const DType dtype : integer_formats()) {
    for (const float tiny : {0.0f, 1e-42f, 1e-36f, -1e-31f}) {
      Problem p(dtype, 1, kIn, 16);
      for (float& x : p.inputs) x = tiny;
      for (const char* rung : {"int8", "packed"}) {
        INFO(rung << " " << traits(dtype).name << ", x " << tiny);
        for (const float y : multiply(rung, p.weight, p.x, 1)) CHECK(std::fabs(y) <= 1e-28f);
      }
    }
  }
}

TEST_CASE("int8: a scale of zero leaves nothing of its quants") {
  const std::vector<float> zeros(kIn, 0.0f);
  for (const DType dtype : integer_formats()) {
    for (const std::int64_t tokens : {1, 19}) {
      Problem p(dtype, tokens, kIn, 20);
      for (std::int64_t r = 0; r < 20; ++r) traits(dtype).from_float(zeros.data(), p.weight.row(r), kIn);
      set_quants(p, 0xff);
      for (const char* rung : {"int8", "packed"}) {
        INFO(rung << " " << traits(dtype).name << ", " << tokens << " tokens");
        for (const float y : multiply(rung, p.weight, p.x, 1)) {
          // The least scale of MXFP4 is no zero but 2^-128, and -12 of these are the last value of its table.
          CHECK(std::fabs(y) <= (dtype == DType::mxfp4 ? 256 * 12 * 0x1p-128f * 8 : 0.0f));
        }
      }
    }
  }
}

// 256 rows of one block: each has another exponent. The inputs are so small and so large that products with
// each of them are numbers somewhere.
TEST_CASE("mxfp4: every exponent, subnormal scales and the largest too") {
  constexpr std::int64_t kExponents = 256, kTokens = 19, kCols = 32;
  Problem p(DType::mxfp4, kTokens, kCols, kExponents);
  for (std::size_t r = 0; r < kExponents; ++r) {
    p.storage[r * sizeof(BlockMxfp4)] = static_cast<std::byte>(r);
    float weights[kCols];
    IntegerBlock block;
    read_row(p.weight, static_cast<std::int64_t>(r), weights);
    read_integers(DType::mxfp4, p.weight.row(static_cast<std::int64_t>(r)), kCols, &block);
    CHECK(block.scale[0] == std::ldexp(1.0f, static_cast<int>(r) - 128));
    for (int i = 0; i < kCols; ++i) CHECK(block.scale[0] * static_cast<float>(block.quants[i]) == weights[i]);
  }
  for (std::size_t i = 0; i < p.inputs.size(); ++i) {
    p.inputs[i] = std::ldexp(p.inputs[i], 10 * (static_cast<int>(i / kCols) - kTokens / 2));
  }
  const auto expected = multiply("int8", p.weight, p.x, 1);
  CHECK(same_numbers(multiply("packed", p.weight, p.x, 2), expected));
  for (std::size_t t = 0; t < kTokens; ++t) {
    const auto alone = multiply("packed", p.weight, p.x.row_slice(static_cast<std::int64_t>(t), 1), 1);
    const auto begin = expected.begin() + static_cast<std::ptrdiff_t>(t * kExponents);
    CHECK(same_numbers(alone, {begin, begin + kExponents}));
  }
  for (std::size_t r = 0; r < kExponents; ++r) {
    INFO("exponent " << r);
    int numbers = 0;
    for (std::size_t t = 0; t < kTokens; ++t) {
      const float y = expected[t * kExponents + r];
      numbers += std::isfinite(y) && y != 0 ? 1 : 0;
    }
    CHECK(numbers > 0);
  }
}
