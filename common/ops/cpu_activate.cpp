// The activation functions of the feed-forward block. A prompt has millions of numbers to activate, and the C
// library's exp computes one number at a time. With vector registers, the activations take a tenth of the
// time.

#include "ops/cpu_activate.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/cpu_activate.cpp"
#include <hwy/foreach_target.h>  // must come before highway.h

#include <hwy/contrib/math/math-inl.h>
#include <hwy/highway.h>

#include <cmath>
#include <cstring>

#include "core/simd.hpp"
#include "ops/cpu_blocks.hpp"

HWY_BEFORE_NAMESPACE();
namespace rung::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::CappedTag<float, 16>;
using F = hn::Vec<Floats>;
constexpr std::int64_t kLanes = hn::MaxLanes(Floats());

/// Returns z / (1 + exp(-a)). For a below -88, exp(-a) is infinite or nearly infinite, so the quotient is
/// practically 0. NaN stays NaN.
HWY_INLINE F times_sigmoid(F z, F a) {
  const Floats d;
  const F power = hn::Exp(d, hn::Min(hn::Neg(a), hn::Set(d, 88.0f)));
  return hn::Div(z, hn::Add(hn::Set(d, 1.0f), power));
}

struct Silu {
  HWY_INLINE F operator()(F z) const { return times_sigmoid(z, z); }
};

/// 0.5 z (1 + tanh(u)) is z / (1 + exp(-2u)).
struct GeluTanh {
  HWY_INLINE F operator()(F z) const {
    const Floats d;
    constexpr float kTwoRoots = 1.5957691216057308f;  // 2 sqrt(2 / pi)
    const F cubic = hn::Mul(hn::Mul(z, z), hn::Mul(z, hn::Set(d, 0.044715f)));
    return times_sigmoid(z, hn::Mul(hn::Set(d, kTwoRoots), hn::Add(z, cubic)));
  }
};

/// out[i] = f(gate[i]) * up[i], or f(gate[i]) if `up` is null. The last numbers, which do not fill a vector,
/// are padded and computed with the same operations.
template <class Function>
HWY_INLINE void apply(const float* gate, const float* up, float* out, std::int64_t n, const Function& f) {
  const Floats d;
  std::int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    const F value = f(hn::LoadU(d, gate + i));
    hn::StoreU(up == nullptr ? value : hn::Mul(value, hn::LoadU(d, up + i)), d, out + i);
  }
  if (i == n) return;
  float rest[kLanes] = {}, factors[kLanes] = {};
  const auto bytes = static_cast<std::size_t>(n - i) * sizeof(float);
  std::memcpy(rest, gate + i, bytes);
  if (up != nullptr) std::memcpy(factors, up + i, bytes);
  const F value = f(hn::LoadU(d, rest));
  hn::StoreU(up == nullptr ? value : hn::Mul(value, hn::LoadU(d, factors)), d, rest);
  std::memcpy(out + i, rest, bytes);
}

void activate_row(Activation activation, const float* gate, const float* up, float* out, std::int64_t n) {
  if (activation == Activation::silu) return apply(gate, up, out, n, Silu());
  apply(gate, up, out, n, GeluTanh());
}

}  // namespace rung::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace rung {
namespace {

HWY_EXPORT(activate_row);

/// Computes gelu_erf with the C library, because Highway has no vector erf and few models use it.
void gelu_erf(const float* gate, const float* up, float* out, std::int64_t n) {
  constexpr float kHalfRoot = 0.7071067811865476f;  // sqrt(1 / 2)
  for (std::int64_t i = 0; i < n; ++i) {
    out[i] = 0.5f * gate[i] * (1.0f + std::erf(gate[i] * kHalfRoot)) * (up == nullptr ? 1.0f : up[i]);
  }
}

}  // namespace

void cpu_activate(int threads, const Tensor& in, Activation activation, const Tensor& h) {
  simd_level();  // reads RUNG_SIMD before the first dispatch
  const bool gated = in.cols == 2 * h.cols;
  for_each_block(threads, h.rows, h.cols, [&](std::int64_t t, std::int64_t begin, std::int64_t end) {
    const float* gate = in.ptr<float>(t) + begin;
    const float* up = gated ? gate + h.cols : nullptr;
    float* out = h.ptr<float>(t) + begin;
    if (activation == Activation::gelu_erf) {
      gelu_erf(gate, up, out, end - begin);
    } else {
      HWY_DYNAMIC_DISPATCH(activate_row)(activation, gate, up, out, end - begin);
    }
  });
}

}  // namespace rung
#endif
