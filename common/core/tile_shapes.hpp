#pragma once
// The shapes of Intel's matrix tiles (AMX), for the files that use them.

#include <cstdint>

#if defined(__x86_64__)
#include <immintrin.h>

namespace rung {

/// Byte for byte what `ldtilecfg` reads. A tile that is not used has no rows and no bytes.
struct TileShapes {
  std::uint8_t palette = 1, start_row = 0, reserved[14] = {};
  std::uint16_t row_bytes[16] = {};
  std::uint8_t rows[16] = {};

  void shape(int tile, int tile_rows, int bytes) {
    rows[tile] = static_cast<std::uint8_t>(tile_rows);
    row_bytes[tile] = static_cast<std::uint16_t>(bytes);
  }
};

}  // namespace rung

// Hands the shapes to the processor, which keeps them for this thread until _tile_release(). A macro, because
// the instruction may stand only in functions that were compiled for AMX. GCC 12 believes that it reads 8
// bytes, hence the barrier.
#define RUNG_LOAD_TILE_SHAPES(shapes)               \
  do {                                              \
    asm volatile("" : : "r"(&(shapes)) : "memory"); \
    _tile_loadconfig(&(shapes));                    \
  } while (false)

#endif
