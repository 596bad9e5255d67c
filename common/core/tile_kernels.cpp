#include "core/tile_kernels.hpp"

#include <hwy/base.h>

#include <algorithm>
#include <cstring>

#include "core/simd.hpp"
#include "core/tile_shapes.hpp"

namespace rung {

#if defined(__x86_64__)
namespace {

constexpr int kTile = 16, kTiles = 4;            // rows and columns of the sums; sums that are independent
constexpr std::size_t kNumbers = kTile * kTile;  // of one tile of sums

HWY_PUSH_ATTRIBUTES("avx2,amx-tile,amx-int8,amx-bf16")

/// Tiles 0 to 3 have the sums, 4 and 5 the left operands, 6 and 7 the right operands. Each of the four sums
/// has its own pair, so a product never waits for the one before it.
void load_tiles(const void* operand) {
  TileShapes shapes;
  for (int i = 0; i < 8; ++i) shapes.shape(i, kTile, 64);
  RUNG_LOAD_TILE_SHAPES(shapes);
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  _tile_loadd(4, operand, 64);
  _tile_loadd(5, operand, 64);
  _tile_loadd(6, operand, 64);
  _tile_loadd(7, operand, 64);
}

void store_tiles(void* sums) {
  auto* const to = static_cast<std::uint8_t*>(sums);
  _tile_stored(0, to, 64);
  _tile_stored(1, to + 1024, 64);
  _tile_stored(2, to + 2048, 64);
  _tile_stored(3, to + 3072, 64);
  _tile_release();
}

void multiply_int8(std::int64_t rounds, std::int32_t* sums) {
  alignas(64) std::int8_t ones[1024];
  std::fill(std::begin(ones), std::end(ones), std::int8_t{1});
  load_tiles(ones);
  for (std::int64_t i = 0; i < rounds; ++i) {
    _tile_dpbssd(0, 4, 6);
    _tile_dpbssd(1, 4, 7);
    _tile_dpbssd(2, 5, 6);
    _tile_dpbssd(3, 5, 7);
  }
  store_tiles(sums);
}

void multiply_bf16(std::int64_t rounds, float* sums) {
  alignas(64) std::uint16_t ones[512];
  std::fill(std::begin(ones), std::end(ones), std::uint16_t{0x3f80});  // 1 in bfloat16
  load_tiles(ones);
  for (std::int64_t i = 0; i < rounds; ++i) {
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 4, 7);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
  }
  store_tiles(sums);
}

HWY_POP_ATTRIBUTES

}  // namespace
#endif

double int8_tile_rounds([[maybe_unused]] std::int64_t rounds, [[maybe_unused]] std::int64_t* sink) {
#if defined(__x86_64__)
  if (dot_instructions().amx_int8) {
    alignas(64) std::int32_t sums[kTiles * kNumbers];
    multiply_int8(rounds, sums);
    *sink = 0;
    for (const std::int32_t sum : sums) *sink += sum;
    return 2.0 * 64 * kTiles * kNumbers * static_cast<double>(rounds);
  }
#endif
  return 0;
}

double bf16_tile_rounds([[maybe_unused]] std::int64_t rounds, [[maybe_unused]] float* sink) {
#if defined(__x86_64__)
  if (dot_instructions().amx_bf16) {
    alignas(64) float sums[kTiles * kNumbers];
    multiply_bf16(rounds, sums);
    *sink = 0;
    for (const float sum : sums) *sink += sum;
    return 2.0 * 32 * kTiles * kNumbers * static_cast<double>(rounds);
  }
#endif
  return 0;
}

}  // namespace rung
