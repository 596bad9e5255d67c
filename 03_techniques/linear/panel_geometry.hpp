#pragma once
// A panel has 16 rows of W, which are interleaved so that one vector holds one value of each row. The kind of
// value depends on the rung: a float (panels.cpp), a pair or a tile of bfloat16 (bf16_dot.cpp,
// bf16_tiles.cpp), or quants (packed_layout.hpp).

#include <cstdint>

namespace rung::linear {

constexpr int kPanelRows = 16;

/// Returns how many panels `rows` rows need. The last panel may be only partly filled.
constexpr std::int64_t panel_count(std::int64_t rows) { return (rows + kPanelRows - 1) / kPanelRows; }

}  // namespace rung::linear
