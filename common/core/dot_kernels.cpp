#include "core/dot_kernels.hpp"

#include <hwy/base.h>

#include <numeric>

#include "core/simd.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#define RUNG_DOT_X86 1
#endif

namespace rung {
namespace {

constexpr std::uint8_t kWeights[4] = {1, 5, 10, 15};  // 31 / 4 on average
constexpr std::int8_t kValues[3] = {100, -98, 1};     // 1 on average, also the first two

// A plain loop for any processor. The barrier prevents the compiler from computing it only once.
double int8_plain(std::int64_t rounds, std::int64_t* sink) {
  constexpr int kBytes = 64;
  std::uint8_t w[kBytes];
  std::int8_t x[kBytes];
  for (int i = 0; i < kBytes; ++i) {
    w[i] = kWeights[i % 4];
    x[i] = kValues[i / 4 % 2];
  }
  std::int32_t sum = 0;
  for (std::int64_t r = 0; r < rounds; ++r) {
    asm volatile("" : : "r"(w), "r"(x) : "memory");
    std::int32_t round = 0;
    for (int i = 0; i < kBytes; ++i) round += w[i] * x[i];
    sum = static_cast<std::int32_t>(static_cast<std::uint32_t>(sum) + static_cast<std::uint32_t>(round));
  }
  *sink = sum;
  return 2.0 * kBytes * static_cast<double>(rounds);
}

#ifdef RUNG_DOT_X86

HWY_PUSH_ATTRIBUTES("avx2,fma")
// One instruction multiplies bytes and adds the products in pairs, with saturation to 16 bits. For 4-bit
// weights, eight vectors of these sums are added in 16 bits, and then in pairs in 32 bits: 17 instructions
// for 256 products. For 8-bit weights, one sum already needs all 16 bits, so 24 instructions are needed.
double int8_avx2(std::int64_t rounds, std::int64_t* sink) {
  const __m256i w0 = _mm256_set1_epi8(1), w1 = _mm256_set1_epi8(5);
  const __m256i w2 = _mm256_set1_epi8(10), w3 = _mm256_set1_epi8(15);
  const __m256i ones = _mm256_set1_epi16(1);
  __m256i x0 = _mm256_set1_epi8(kValues[0]), x1 = _mm256_set1_epi8(kValues[1]);
  __m256i sum = _mm256_setzero_si256();
  for (std::int64_t r = 0; r < rounds; ++r) {
    // This pretends to change x0 and x1. Otherwise the compiler would compute one round only.
    asm("" : "+x"(x0), "+x"(x1));
    const __m256i a = _mm256_add_epi16(_mm256_maddubs_epi16(w0, x0), _mm256_maddubs_epi16(w1, x0));
    const __m256i b = _mm256_add_epi16(_mm256_maddubs_epi16(w2, x0), _mm256_maddubs_epi16(w3, x0));
    const __m256i c = _mm256_add_epi16(_mm256_maddubs_epi16(w0, x1), _mm256_maddubs_epi16(w1, x1));
    const __m256i d = _mm256_add_epi16(_mm256_maddubs_epi16(w2, x1), _mm256_maddubs_epi16(w3, x1));
    const __m256i pairs = _mm256_add_epi16(_mm256_add_epi16(a, b), _mm256_add_epi16(c, d));
    sum = _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, ones));
  }
  std::int32_t lanes[8];
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(lanes), sum);
  *sink = std::accumulate(lanes, lanes + 8, std::int64_t{0});
  return 2.0 * 8 * 32 * static_cast<double>(rounds);
}
HWY_POP_ATTRIBUTES

// A small array is kept in registers only if every index is a constant, so the loops over it must be
// unrolled.
#ifdef __clang__
#define RUNG_UNROLL _Pragma("unroll")
#else
#define RUNG_UNROLL _Pragma("GCC unroll 16")
#endif
constexpr int kChains = 12;  // an instruction takes about five cycles, and two may start in each

HWY_PUSH_ATTRIBUTES("avx2,fma,avxvnni")
double int8_avx_vnni(std::int64_t rounds, std::int64_t* sink) {
  __m256i sums[kChains], w[4], x[3];
  for (int i = 0; i < kChains; ++i) sums[i] = _mm256_setzero_si256();
  for (int i = 0; i < 4; ++i) w[i] = _mm256_set1_epi8(static_cast<char>(kWeights[i]));
  for (int i = 0; i < 3; ++i) x[i] = _mm256_set1_epi8(kValues[i]);
  for (std::int64_t r = 0; r < rounds; ++r) {
    RUNG_UNROLL
    for (int i = 0; i < kChains; ++i) sums[i] = _mm256_dpbusd_avx_epi32(sums[i], w[i % 4], x[i / 4]);
  }
  *sink = 0;
  for (const __m256i& sum : sums) {
    std::int32_t lanes[8];
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(lanes), sum);
    *sink += std::accumulate(lanes, lanes + 8, std::int64_t{0});
  }
  return 2.0 * kChains * 32 * static_cast<double>(rounds);
}
HWY_POP_ATTRIBUTES

HWY_PUSH_ATTRIBUTES("avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")
double int8_avx512_vnni(std::int64_t rounds, std::int64_t* sink) {
  __m512i sums[kChains], w[4], x[3];
  for (int i = 0; i < kChains; ++i) sums[i] = _mm512_setzero_si512();
  for (int i = 0; i < 4; ++i) w[i] = _mm512_set1_epi8(static_cast<char>(kWeights[i]));
  for (int i = 0; i < 3; ++i) x[i] = _mm512_set1_epi8(kValues[i]);
  for (std::int64_t r = 0; r < rounds; ++r) {
    RUNG_UNROLL
    for (int i = 0; i < kChains; ++i) sums[i] = _mm512_dpbusd_epi32(sums[i], w[i % 4], x[i / 4]);
  }
  *sink = 0;
  for (const __m512i& sum : sums) {
    std::int32_t lanes[16];
    _mm512_storeu_si512(lanes, sum);
    *sink += std::accumulate(lanes, lanes + 16, std::int64_t{0});
  }
  return 2.0 * kChains * 64 * static_cast<double>(rounds);
}
HWY_POP_ATTRIBUTES

HWY_PUSH_ATTRIBUTES("avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,avx512bf16")
double bf16_avx512(std::int64_t rounds, float* sink) {
  __m512 sums[kChains];
  // The compiler would merge equal chains. A barrier in each chain would force its value through memory.
  for (int i = 0; i < kChains; ++i) sums[i] = _mm512_set1_ps(static_cast<float>(i));
  constexpr int kStarts = 16 * kChains * (kChains - 1) / 2;  // of all lanes
  const __m512i bits = _mm512_set1_epi16(0x3f80);            // 1
  const auto one = (__m512bh)bits;
  for (std::int64_t r = 0; r < rounds; ++r) {
    RUNG_UNROLL
    for (int i = 0; i < kChains; ++i) sums[i] = _mm512_dpbf16_ps(sums[i], one, one);
  }
  *sink = -kStarts;
  for (const __m512& sum : sums) {
    float lanes[16];
    _mm512_storeu_ps(lanes, sum);
    *sink = std::accumulate(lanes, lanes + 16, *sink);
  }
  return 2.0 * kChains * 32 * static_cast<double>(rounds);
}
HWY_POP_ATTRIBUTES
#endif

}  // namespace

double int8_rounds(std::int64_t rounds, std::int64_t* sink) {
#ifdef RUNG_DOT_X86
  const DotInstructions& has = dot_instructions();
  if (has.avx512_vnni) return int8_avx512_vnni(rounds, sink);
  if (has.avx_vnni) return int8_avx_vnni(rounds, sink);
  if (simd_level() >= Simd::avx2) return int8_avx2(rounds, sink);
#endif
  return int8_plain(rounds, sink);
}

double bf16_rounds([[maybe_unused]] std::int64_t rounds, [[maybe_unused]] float* sink) {
#ifdef RUNG_DOT_X86
  if (dot_instructions().avx512_bf16) return bf16_avx512(rounds, sink);
#endif
  return 0;
}

}  // namespace rung
