// How the rung `simd` reads weights: a few consecutive ones of a row, as float32 vectors.
//
// Included by simd.cpp once per instruction set (Highway's foreach_target), hence no include guard. One
// struct per format: address(row, step) is where columns step * kColumns .. of a row begin, load(p, w)
// reads kColumns of them from there. It gives exactly the numbers of the format's own conversion in
// core/dtype.hpp. A format that shall be fast is a struct here and a case in simd.cpp; all others are
// `Converted`.

HWY_BEFORE_NAMESPACE();
namespace rung::linear::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::CappedTag<float, 16>;
using F = hn::Vec<Floats>;
constexpr std::int64_t kLanes = hn::MaxLanes(Floats());  // 16 with AVX-512, 8 with AVX2, 1 in plain code

/// A format of plain numbers: one vector per step.
template <class T>
struct Plain {
  using Element = T;
  static constexpr std::int64_t kColumns = kLanes;
  static const std::byte* address(const void* row, std::int64_t step) {
    return static_cast<const std::byte*>(row) + step * kColumns * static_cast<std::int64_t>(sizeof(T));
  }
};

struct ReadF32 : Plain<float> {
  static HWY_INLINE void load(const void* p, F (&w)[1]) {
    w[0] = hn::LoadU(Floats(), static_cast<const float*>(p));
  }
};

/// binary16 and bfloat16: the processor (or a shift) widens half a vector to a whole one.
template <class Half>
struct Read16 : Plain<std::uint16_t> {
  static HWY_INLINE void load(const void* p, F (&w)[1]) {
    const hn::Rebind<Half, Floats> halves;
    w[0] = hn::PromoteTo(Floats(), hn::LoadU(halves, static_cast<const Half*>(p)));
  }
};

/// Any other format: its own conversion writes float32 to memory, which is then read from there.
struct Converted {};

/// A format of blocks with one scale each: one block per step.
template <class Block>
struct Blocked {
  using Element = Block;
  static constexpr std::int64_t kColumns = Block::kElements;
  static constexpr std::int64_t kVectors = kColumns / kLanes;
  static const std::byte* address(const void* row, std::int64_t step) {
    return static_cast<const std::byte*>(row) + step * static_cast<std::int64_t>(sizeof(Block));
  }

 protected:
  using Bytes = hn::Rebind<std::int8_t, Floats>;

  /// The block's scale in every lane.
  static HWY_INLINE F broadcast(std::uint16_t half) {
    const hn::Rebind<std::uint16_t, Floats> words;
    const hn::Rebind<hwy::float16_t, Floats> halves;
    return hn::PromoteTo(Floats(), hn::BitCast(halves, hn::Set(words, half)));
  }
  /// A vector of signed bytes as floats, times the scale.
  static HWY_INLINE F scaled(hn::Vec<Bytes> bytes, F scale) {
    const hn::RebindToSigned<Floats> ints;
    return hn::Mul(hn::ConvertTo(Floats(), hn::PromoteTo(ints, bytes)), scale);
  }
};

struct ReadQ8_0 : Blocked<BlockQ8_0> {
  static HWY_INLINE void load(const void* p, F (&w)[kVectors]) {
    const auto& block = *static_cast<const BlockQ8_0*>(p);
    const F scale = broadcast(block.scale);
    for (std::int64_t v = 0; v < kVectors; ++v) {
      w[v] = scaled(hn::LoadU(Bytes(), block.quants + v * kLanes), scale);
    }
  }
};

/// The low nibbles are the first 16 columns, the high ones the last 16.
struct ReadQ4_0 : Blocked<BlockQ4_0> {
  static HWY_INLINE void load(const void* p, F (&w)[kVectors]) {
    const hn::RebindToUnsigned<Bytes> nibbles;
    const auto& block = *static_cast<const BlockQ4_0*>(p);
    const F scale = broadcast(block.scale);
    const auto fifteen = hn::Set(nibbles, 15);
    const auto eight = hn::Set(Bytes(), 8);
    for (std::int64_t v = 0; v < kVectors / 2; ++v) {
      const auto pair = hn::LoadU(nibbles, block.quants + v * kLanes);
      const auto low = hn::BitCast(Bytes(), hn::And(pair, fifteen));
      const auto high = hn::BitCast(Bytes(), hn::ShiftRight<4>(pair));
      w[v] = scaled(hn::Sub(low, eight), scale);
      w[v + kVectors / 2] = scaled(hn::Sub(high, eight), scale);
    }
  }
};

}  // namespace rung::linear::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
