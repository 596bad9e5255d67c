// The layout of the bits in the K formats, and the conversion of blocks to float.
//
// Quants are stored in planes. Byte i of a plane holds bits of the elements i, i + 32, i + 64 and so on.
// Shifting and masking 32 adjacent bytes therefore gives 32 adjacent elements.

#include "core/dtype_k.hpp"

#include <cstring>

#include "core/dtype.hpp"

namespace rung::formats {
namespace {

std::uint8_t byte(int value) { return static_cast<std::uint8_t>(value); }

/// A plane of kBits per element in groups of kWidth bytes. Byte i of a group holds, from its low bits up, the
/// elements i, i + kWidth, i + 2 kWidth, ... of that group.
template <int kBits, int kWidth>
struct Plane {
  static constexpr int kPerByte = 8 / kBits;
  static constexpr int kMask = (1 << kBits) - 1;

  /// Calls visit(element, byte, shift) for every element.
  template <class Visit>
  static void each(const Visit& visit) {
    for (int group = 0; group < kKElements / (kWidth * kPerByte); ++group) {
      for (int s = 0; s < kPerByte; ++s) {
        for (int i = 0; i < kWidth; ++i) {
          visit((group * kPerByte + s) * kWidth + i, group * kWidth + i, s * kBits);
        }
      }
    }
  }
  /// Adds the plane's bits to the quants, `place` bits up.
  static void get(const std::uint8_t* plane, int place, std::int8_t* quants) {
    each([=](int element, int at, int shift) {
      quants[element] = static_cast<std::int8_t>(quants[element] | (((plane[at] >> shift) & kMask) << place));
    });
  }
  /// Puts kBits of the quants, from `place` bits up, into a plane of zeros.
  static void put(const std::int8_t* quants, int place, std::uint8_t* plane) {
    each([=](int element, int at, int shift) {
      plane[at] = byte(plane[at] | (((quants[element] >> place) & kMask) << shift));
    });
  }
};
using Bits = Plane<1, 32>;
using Pairs = Plane<2, 32>;
using Nibbles = Plane<4, 32>;
using WideNibbles = Plane<4, 64>;

/// Signed quants are stored with an offset that makes them start at 0.
void add_to_all(std::int8_t* quants, int offset) {
  for (int e = 0; e < kKElements; ++e) quants[e] = static_cast<std::int8_t>(quants[e] + offset);
}

/// Stores eight scales and eight minima of 6 bits in 12 bytes. The first four scales and minima are the low 6
/// bits of bytes 0..3 and 4..7. For the other four, the low 4 bits are in bytes 8..11, and the high 2 bits
/// are in the high bits of bytes 0..7.
void pack_6bit_pairs(const std::int8_t* scales, const std::uint8_t* minima, std::uint8_t* to) {
  for (int j = 0; j < 4; ++j) {
    to[j] = byte(scales[j] | ((scales[j + 4] >> 4) << 6));
    to[j + 4] = byte(minima[j] | ((minima[j + 4] >> 4) << 6));
    to[j + 8] = byte((scales[j + 4] & 15) | ((minima[j + 4] & 15) << 4));
  }
}
void unpack_6bit_pairs(const std::uint8_t* from, std::int8_t* scales, std::uint8_t* minima) {
  for (int j = 0; j < 4; ++j) {
    scales[j] = static_cast<std::int8_t>(from[j] & 63);
    minima[j] = byte(from[j + 4] & 63);
    scales[j + 4] = static_cast<std::int8_t>((from[j + 8] & 15) | ((from[j] >> 6) << 4));
    minima[j + 4] = byte((from[j + 8] >> 4) | ((from[j + 4] >> 6) << 4));
  }
}

/// d * scale * quant - d_min * minimum, rounded after each operation in this order, as GGML rounds it.
template <class Block, int kSubElements>
void to_float(const void* from, float* to, std::int64_t n) {
  constexpr bool kHasMinima = requires(const Block& block) { block.d_min; };
  const auto* blocks = static_cast<const Block*>(from);
  for (std::int64_t b = 0; b < n / kKElements; ++b) {
    KIntegers k;
    unpack(blocks[b], k);
    const float d = f16_to_f32(k.d);
    const float d_min = f16_to_f32(k.d_min);
    const std::int8_t* quant = k.quants;
    for (int j = 0; j < kKElements / kSubElements; ++j) {
      const float scale = d * static_cast<float>(k.scales[j]);
      const float minimum = d_min * static_cast<float>(k.minima[j]);
      for (int i = 0; i < kSubElements; ++i) {
        const float value = scale * static_cast<float>(*quant++);
        *to++ = kHasMinima ? value - minimum : value;  // -0 - 0 would lose the sign
      }
    }
  }
}

}  // namespace

void unpack(const BlockQ2K& from, KIntegers& to) {
  to = {};
  to.d = from.d;
  to.d_min = from.d_min;
  for (int j = 0; j < 16; ++j) {
    to.scales[j] = static_cast<std::int8_t>(from.scales[j] & 15);
    to.minima[j] = byte(from.scales[j] >> 4);
  }
  Pairs::get(from.quants, 0, to.quants);
}

void pack(const KIntegers& from, BlockQ2K& to) {
  to = {};
  to.d = from.d;
  to.d_min = from.d_min;
  for (int j = 0; j < 16; ++j) to.scales[j] = byte(from.scales[j] | (from.minima[j] << 4));
  Pairs::put(from.quants, 0, to.quants);
}

// Scale j: four bits in byte j % 8, low half for the first eight; two bits in byte 8 + j % 4.
void unpack(const BlockQ3K& from, KIntegers& to) {
  to = {};
  to.d = from.d;
  for (int j = 0; j < 16; ++j) {
    const int low = (from.scales[j % 8] >> (j / 8 * 4)) & 15;
    const int high = (from.scales[8 + j % 4] >> (j / 4 * 2)) & 3;
    to.scales[j] = static_cast<std::int8_t>((low | (high << 4)) - 32);
  }
  Pairs::get(from.quants, 0, to.quants);
  Bits::get(from.high, 2, to.quants);
  add_to_all(to.quants, -4);
}

void pack(const KIntegers& from, BlockQ3K& to) {
  to = {};
  to.d = from.d;
  for (int j = 0; j < 16; ++j) {
    const int scale = from.scales[j] + 32;
    to.scales[j % 8] = byte(to.scales[j % 8] | ((scale & 15) << (j / 8 * 4)));
    to.scales[8 + j % 4] = byte(to.scales[8 + j % 4] | ((scale >> 4) << (j / 4 * 2)));
  }
  KIntegers shifted = from;
  add_to_all(shifted.quants, 4);
  Pairs::put(shifted.quants, 0, to.quants);
  Bits::put(shifted.quants, 2, to.high);
}

void unpack(const BlockQ4K& from, KIntegers& to) {
  to = {};
  to.d = from.d;
  to.d_min = from.d_min;
  unpack_6bit_pairs(from.scales, to.scales, to.minima);
  Nibbles::get(from.quants, 0, to.quants);
}

void pack(const KIntegers& from, BlockQ4K& to) {
  to = {};
  to.d = from.d;
  to.d_min = from.d_min;
  pack_6bit_pairs(from.scales, from.minima, to.scales);
  Nibbles::put(from.quants, 0, to.quants);
}

void unpack(const BlockQ5K& from, KIntegers& to) {
  to = {};
  to.d = from.d;
  to.d_min = from.d_min;
  unpack_6bit_pairs(from.scales, to.scales, to.minima);
  Nibbles::get(from.quants, 0, to.quants);
  Bits::get(from.high, 4, to.quants);
}

void pack(const KIntegers& from, BlockQ5K& to) {
  to = {};
  to.d = from.d;
  to.d_min = from.d_min;
  pack_6bit_pairs(from.scales, from.minima, to.scales);
  Nibbles::put(from.quants, 0, to.quants);
  Bits::put(from.quants, 4, to.high);
}

void unpack(const BlockQ6K& from, KIntegers& to) {
  to = {};
  to.d = from.d;
  std::memcpy(to.scales, from.scales, sizeof to.scales);
  WideNibbles::get(from.low, 0, to.quants);
  Pairs::get(from.high, 4, to.quants);
  add_to_all(to.quants, -32);
}

void pack(const KIntegers& from, BlockQ6K& to) {
  to = {};
  to.d = from.d;
  std::memcpy(to.scales, from.scales, sizeof to.scales);
  KIntegers shifted = from;
  add_to_all(shifted.quants, 32);
  WideNibbles::put(shifted.quants, 0, to.low);
  Pairs::put(shifted.quants, 4, to.high);
}

void q2_k_to_float(const void* from, float* to, std::int64_t n) { to_float<BlockQ2K, 16>(from, to, n); }
void q3_k_to_float(const void* from, float* to, std::int64_t n) { to_float<BlockQ3K, 16>(from, to, n); }
void q4_k_to_float(const void* from, float* to, std::int64_t n) { to_float<BlockQ4K, 32>(from, to, n); }
void q5_k_to_float(const void* from, float* to, std::int64_t n) { to_float<BlockQ5K, 32>(from, to, n); }
void q6_k_to_float(const void* from, float* to, std::int64_t n) { to_float<BlockQ6K, 16>(from, to, n); }

}  // namespace rung::formats
