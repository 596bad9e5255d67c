// See widen.hpp. Written once with Google Highway, compiled for AVX-512, AVX2 and plain code.

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "03_techniques/attention/widen.cpp"
#include <hwy/foreach_target.h>  // must come before highway.h

#include <hwy/highway.h>

#include <bit>
#include <cstring>

#include "core/dtype_legacy.hpp"
#include "core/dtype_plain.hpp"
#include "core/simd.hpp"
#include "widen.hpp"

HWY_BEFORE_NAMESPACE();
namespace rung::attention::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using D = hn::ScalableTag<float>;
using V = hn::Vec<D>;
constexpr std::int64_t kLanes = static_cast<std::int64_t>(hn::MaxLanes(D()));

#if HWY_TARGET == HWY_SCALAR

void widen_row(DType type, const std::byte* from, std::int64_t n, float* to) {
  traits(type).to_float(from, to, n);
}

#else

/// f(from + i, lanes) for every vector of n elements of type T; the last one is done from a copy.
template <class T, class F>
HWY_INLINE void each_vector(const T* from, std::int64_t n, float* to, const F& f) {
  const D d;
  std::int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) hn::StoreU(f(from + i), d, to + i);
  if (i == n) return;
  HWY_ALIGN T rest[kLanes] = {};
  HWY_ALIGN float widened[kLanes];
  std::memcpy(rest, from + i, static_cast<std::size_t>(n - i) * sizeof(T));
  hn::Store(f(rest), d, widened);
  std::memcpy(to + i, widened, static_cast<std::size_t>(n - i) * sizeof(float));
}

HWY_INLINE V load_f16(const std::uint16_t* from) {
  const hn::Rebind<hwy::float16_t, D> half;
  return hn::PromoteTo(D(), hn::LoadU(half, reinterpret_cast<const hwy::float16_t*>(from)));
}

HWY_INLINE V load_bf16(const std::uint16_t* from) {
  const hn::Rebind<std::uint16_t, D> half;
  const hn::RebindToUnsigned<D> bits;
  return hn::BitCast(D(), hn::ShiftLeft<16>(hn::PromoteTo(bits, hn::LoadU(half, from))));
}

/// The seven bits below the sign, moved to where float32 has them, are the value times 2^-120: also where it
/// is subnormal in eight bits, because it is not in float32. The NaN is 480 by that rule.
HWY_INLINE V load_f8(const std::uint8_t* from) {
  const D d;
  const hn::RebindToUnsigned<D> bits;
  const hn::Rebind<std::uint8_t, D> bytes;
  const auto byte = hn::PromoteTo(bits, hn::LoadU(bytes, from));
  const auto low = hn::And(byte, hn::Set(bits, 0x7f));
  const auto sign = hn::ShiftLeft<24>(hn::And(byte, hn::Set(bits, 0x80)));
  const V magnitude = hn::Mul(hn::BitCast(d, hn::ShiftLeft<20>(low)), hn::Set(d, 0x1p120f));
  const V nan = hn::BitCast(d, hn::Set(bits, 0x7fc00000u));
  const auto is_nan = hn::RebindMask(d, hn::Eq(low, hn::Set(bits, 0x7f)));
  return hn::BitCast(d, hn::Or(hn::BitCast(bits, hn::IfThenElse(is_nan, nan, magnitude)), sign));
}

HWY_INLINE V load_i8(const std::int8_t* from) {
  const D d;
  const hn::Rebind<std::int8_t, D> bytes;
  return hn::ConvertTo(d, hn::PromoteTo(hn::RebindToSigned<D>(), hn::LoadU(bytes, from)));
}

void widen_q8_0(const std::byte* from, std::int64_t n, float* to) {
  const auto* blocks = reinterpret_cast<const BlockQ8_0*>(from);
  for (std::int64_t b = 0; b < n / BlockQ8_0::kElements; ++b) {
    const V scale = hn::Set(D(), f16_to_f32(blocks[b].scale));
    each_vector(blocks[b].quants, BlockQ8_0::kElements, to + b * BlockQ8_0::kElements,
                [&](const std::int8_t* q) { return hn::Mul(scale, load_i8(q)); });
  }
}

/// 2^(exponent - 127) does not always fit into a float32, but the halves of it do.
void widen_mxfp8(const std::byte* from, std::int64_t n, float* to) {
  const D d;
  const auto* blocks = reinterpret_cast<const BlockMxfp8*>(from);
  for (std::int64_t b = 0; b < n / BlockMxfp8::kElements; ++b) {
    const int power = blocks[b].exponent - 127;
    const auto part = [](int p) { return std::bit_cast<float>(static_cast<std::uint32_t>(p + 127) << 23); };
    const bool nan = power == 128;
    const V first = hn::Set(d, nan ? std::bit_cast<float>(0x7fc00000u) : part(power / 2));
    const V second = hn::Set(d, nan ? 1.0f : part(power - power / 2));
    each_vector(blocks[b].elements, BlockMxfp8::kElements, to + b * BlockMxfp8::kElements,
                [&](const std::uint8_t* e) { return hn::Mul(hn::Mul(load_f8(e), first), second); });
  }
}

void widen_row(DType type, const std::byte* from, std::int64_t n, float* to) {
  switch (type) {
    case DType::f16:
      return each_vector(reinterpret_cast<const std::uint16_t*>(from), n, to, load_f16);
    case DType::bf16:
      return each_vector(reinterpret_cast<const std::uint16_t*>(from), n, to, load_bf16);
    case DType::f8_e4m3:
      return each_vector(reinterpret_cast<const std::uint8_t*>(from), n, to, load_f8);
    case DType::q8_0:
      return widen_q8_0(from, n, to);
    case DType::mxfp8:
      return widen_mxfp8(from, n, to);
    default:
      return traits(type).to_float(from, to, n);
  }
}

#endif

void widen_rows(DType type, const std::byte* from, std::size_t stride, std::int64_t rows, std::int64_t n,
                float* to) {
  for (std::int64_t r = 0; r < rows; ++r) {
    widen_row(type, from + static_cast<std::size_t>(r) * stride, n, to + r * n);
  }
}

}  // namespace rung::attention::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace rung::attention {

HWY_EXPORT(widen_rows);

void widen_rows(DType type, const std::byte* from, std::size_t stride, std::int64_t rows, std::int64_t n,
                float* to) {
  simd_level();  // before Highway's first dispatch
  HWY_DYNAMIC_DISPATCH(widen_rows)(type, from, stride, rows, n, to);
}

}  // namespace rung::attention
#endif
