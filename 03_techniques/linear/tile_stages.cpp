// What a step of packed_tiles.cpp costs, stage by stage: `linear_tile_stages` prints cycles for every part
// alone and for all of them together. If the parts overlapped, the whole would cost what the longest of them
// does.
//
// A step: 16 tokens x 32 columns times 32 columns x 16 rows, 8192 products, and the scales of 256 sums.
// Everything lies in the first cache. Cycles are nanoseconds times the clock, and the clock is read from a
// chain of multiplications of 3 cycles each, in the same moment.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <vector>

#include "core/simd.hpp"
#include "core/tile_shapes.hpp"
#include "core/timer.hpp"

#if defined(__x86_64__)
#include <hwy/base.h>
#include <immintrin.h>

namespace {

constexpr int kSteps = 64, kRounds = 200, kPasses = 15;

double gigahertz() {
  constexpr int kChain = 1 << 20;
  std::vector<double> rates;
  for (int pass = 0; pass < 5; ++pass) {
    const rung::Timer timer;
    std::uint64_t x = 3;
    for (int i = 0; i < kChain / 4; ++i) {
      asm volatile("imul $3, %0, %0\n imul $3, %0, %0\n imul $3, %0, %0\n imul $3, %0, %0" : "+r"(x));
    }
    rates.push_back(3e-9 * kChain / timer.seconds());
  }
  return *std::max_element(rates.begin(), rates.end());
}

HWY_PUSH_ATTRIBUTES("avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,amx-tile,amx-int8")

struct alignas(64) Memory {
  std::int8_t x[512] = {}, w[512] = {};
  std::int32_t products[2][256] = {};
  float x_scales[16] = {}, scales[16] = {}, out[16][16] = {};
};

constexpr int kLoad = 1, kMultiply = 2, kStore = 4, kScale = 8;

/// kSteps steps with the stages of kWhat.
template <int kWhat>
void run(Memory& m) {
  __m512 sum[16];
#pragma GCC unroll 16
  for (__m512& s : sum) s = _mm512_setzero_ps();
  const auto scale = [&](const std::int32_t* products) {
    if constexpr ((kWhat & kScale) != 0) {
      const __m512 w = _mm512_load_ps(m.scales);
#pragma GCC unroll 16
      for (int t = 0; t < 16; ++t) {
        const __m512 exact = _mm512_cvtepi32_ps(_mm512_load_si512(products + 16 * t));
        sum[t] = _mm512_fmadd_ps(exact, _mm512_mul_ps(w, _mm512_set1_ps(m.x_scales[t])), sum[t]);
      }
    }
  };
  for (int s = 0; s < kSteps; s += 2) {
    asm volatile("" : : "r"(&m) : "memory");
    if constexpr ((kWhat & kLoad) != 0) {
      _tile_loadd(2, m.x, 32);
      _tile_loadd(4, m.w, 64);
    }
    if constexpr ((kWhat & kMultiply) != 0) {
      _tile_zero(0);
      _tile_dpbssd(0, 2, 4);
    }
    if constexpr ((kWhat & kStore) != 0) _tile_stored(0, m.products[0], 64);
    scale(m.products[1]);
    if constexpr ((kWhat & kLoad) != 0) {
      _tile_loadd(3, m.x, 32);
      _tile_loadd(5, m.w, 64);
    }
    if constexpr ((kWhat & kMultiply) != 0) {
      _tile_zero(1);
      _tile_dpbssd(1, 3, 5);
    }
    if constexpr ((kWhat & kStore) != 0) _tile_stored(1, m.products[1], 64);
    scale(m.products[0]);
  }
#pragma GCC unroll 16
  for (int t = 0; t < 16; ++t) _mm512_store_ps(m.out[t], sum[t]);
}

template <int kWhat>
void report(const char* name) {
  static Memory m;
  rung::TileShapes shapes;
  for (int i = 0; i < 2; ++i) {
    shapes.shape(i, 16, 64);      // the sums
    shapes.shape(2 + i, 16, 32);  // x
    shapes.shape(4 + i, 8, 64);   // W
  }
  RUNG_LOAD_TILE_SHAPES(shapes);
  std::vector<double> cycles;
  for (int pass = 0; pass < kPasses; ++pass) {
    const double clock = gigahertz();
    const rung::Timer timer;
    for (int r = 0; r < kRounds; ++r) run<kWhat>(m);
    cycles.push_back(timer.seconds() * 1e9 * clock / kRounds / kSteps);
  }
  _tile_release();
  std::nth_element(cycles.begin(), cycles.begin() + kPasses / 2, cycles.end());
  std::printf("%-28s %5.1f cycles\n", name, cycles[kPasses / 2]);
}

HWY_POP_ATTRIBUTES

}  // namespace

int main() {
  if (!rung::dot_instructions().amx_int8) {
    std::puts("This processor has no matrix tiles (AMX), or RUNG_SIMD leaves them out.");
    return 0;
  }
  report<kLoad>("load x and W");
  report<kLoad | kMultiply>("load, multiply");
  report<kStore>("store the sums");
  report<kLoad | kMultiply | kStore>("load, multiply, store");
  report<kScale>("scale 256 sums");
  report<kLoad | kMultiply | kScale>("load, multiply, scale");
  report<kStore | kScale>("store, scale");
  report<kLoad | kMultiply | kStore | kScale>("all");
  return 0;
}

#else
int main() {
  std::puts("This processor has no matrix tiles (AMX).");
  return 0;
}
#endif
