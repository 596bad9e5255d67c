#include "core/dtype_codebook.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/dtype.hpp"
#include "core/dtype_legacy.hpp"
#include "core/dtype_rounding.hpp"

namespace rung::formats {
namespace {

constexpr int kElements = 32;
constexpr int kHalf = kElements / 2;

void decode(float scale, const std::array<std::int8_t, 16>& values, const std::uint8_t* quants, float* out) {
  for (int i = 0; i < kHalf; ++i) {
    out[i] = scale * static_cast<float>(values[quants[i] & 15]);
    out[i + kHalf] = scale * static_cast<float>(values[quants[i] >> 4]);
  }
}

/// Quants of one block, one byte each.
using Quants = std::array<std::uint8_t, kElements>;

/// For each multiple of 0.5 from -128 to 127.5, the index of the nearest value. The midpoints between
/// adjacent values are multiples of 0.5 too, so doubling a number and rounding it down gives the correct
/// entry.
constexpr std::array<std::uint8_t, 512> kNearestIq4Nl = [] {
  std::array<std::uint8_t, 512> nearest{};
  for (int twice = -256; twice < 256; ++twice) {
    std::uint8_t place = 0;
    for (std::size_t v = 1; v < kIq4NlValues.size(); ++v) {
      if (twice >= kIq4NlValues[v - 1] + kIq4NlValues[v]) place = static_cast<std::uint8_t>(v);
    }
    nearest[static_cast<std::size_t>(twice + 256)] = place;
  }
  return nearest;
}();

std::uint8_t nearest_mxfp4(float value) {
  const float magnitude = std::fabs(value);
  std::uint8_t place = 0;
  // A tie goes to the smaller magnitude, as in GGML.
  for (const float middle : {0.5f, 1.5f, 2.5f, 3.5f, 5.0f, 7.0f, 10.0f}) {
    place = static_cast<std::uint8_t>(place + (magnitude > middle ? 1 : 0));
  }
  return static_cast<std::uint8_t>(place | (value < 0 && place > 0 ? 8 : 0));
}

/// Rounds x with a given exponent and returns the sum of the squared errors.
float round_mxfp4(const float* x, std::uint8_t exponent, Quants& quants) {
  const float scale = mxfp4_scale(exponent);
  float sum = 0.0f;
  for (std::size_t i = 0; i < kElements; ++i) {
    quants[i] = nearest_mxfp4(x[i] / scale);
    const float error = (scale * static_cast<float>(kMxfp4Values[quants[i]]) - x[i]) / scale;
    sum += error * error;
  }
  return sum * scale * scale;
}

}  // namespace

std::uint8_t nearest_iq4_nl(float value) {
  const float limited = std::min(std::max(value, -128.0f), 127.5f);
  return kNearestIq4Nl[static_cast<std::size_t>(static_cast<int>(2.0f * limited + 256.0f))];
}

void iq4_nl_to_float(const void* from, float* to, std::int64_t n) {
  const auto* blocks = static_cast<const BlockIq4Nl*>(from);
  for (std::int64_t b = 0; b < n / kElements; ++b) {
    decode(f16_to_f32(blocks[b].scale), kIq4NlValues, blocks[b].quants, to + b * kElements);
  }
}

// The element of largest magnitude becomes -127, because the scale has a sign.
void iq4_nl_from_float(const float* from, void* to, std::int64_t n) {
  auto* blocks = static_cast<BlockIq4Nl*>(to);
  for (std::int64_t b = 0; b < n / kElements; ++b) {
    const float* x = from + b * kElements;
    blocks[b].scale = f32_to_f16(extreme_of(x, kElements) / static_cast<float>(kIq4NlValues[0]));
    const float inverse = inverse_scale(f16_to_f32(blocks[b].scale));
    Quants quants;
    for (std::size_t i = 0; i < kElements; ++i) quants[i] = nearest_iq4_nl(x[i] * inverse);
    pack_nibbles(quants.data(), blocks[b].quants);
  }
}

void mxfp4_to_float(const void* from, float* to, std::int64_t n) {
  const auto* blocks = static_cast<const BlockMxfp4*>(from);
  for (std::int64_t b = 0; b < n / kElements; ++b) {
    decode(mxfp4_scale(blocks[b].exponent), kMxfp4Values, blocks[b].quants, to + b * kElements);
  }
}

// The specification uses the exponent of the largest element minus 2, so this element becomes a number
// between 4 and 8. The largest value is 6, so a number above 6 is clipped. The next exponent keeps this
// number but rounds the others more coarsely. This function tries both and chooses the one with the smaller
// error.
void mxfp4_from_float(const float* from, void* to, std::int64_t n) {
  auto* blocks = static_cast<BlockMxfp4*>(to);
  for (std::int64_t b = 0; b < n / kElements; ++b) {
    const float* x = from + b * kElements;
    float largest = 0.0f;
    for (int i = 0; i < kElements; ++i) largest = std::max(largest, std::fabs(x[i]));
    const int usual = largest > 0.0f ? std::clamp(std::ilogb(largest) - 2 + 127, 0, 254) : 0;
    const auto exponent = static_cast<std::uint8_t>(usual);
    Quants quants, coarser;
    const float error = round_mxfp4(x, exponent, quants);
    const auto next = static_cast<std::uint8_t>(std::min(usual + 1, 254));
    const bool take_next = round_mxfp4(x, next, coarser) < error;
    blocks[b].exponent = take_next ? next : exponent;
    pack_nibbles((take_next ? coarser : quants).data(), blocks[b].quants);
  }
}

}  // namespace rung::formats
