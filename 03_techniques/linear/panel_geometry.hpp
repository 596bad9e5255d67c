#pragma once
// Panels: 16 rows of W, interleaved, so that one vector holds a value of each. What a value is differs from
// rung to rung: a float (panels.cpp), a pair or a tile of bfloat16 (bf16_dot.cpp, bf16_tiles.cpp), quants
// (packed_layout.hpp).

#include <cstdint>

namespace rung::linear {

constexpr int kPanelRows = 16;

/// How many panels hold `rows` rows; the last one may not be full.
constexpr std::int64_t panel_count(std::int64_t rows) { return (rows + kPanelRows - 1) / kPanelRows; }

}  // namespace rung::linear
