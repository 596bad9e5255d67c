#pragma once
// Between flash.cpp, which cuts a batch into tiles, and flash_tile.cpp, which computes one.

#include <cstddef>
#include <cstdint>

#include "attention.hpp"
#include "core/dtype.hpp"

namespace rung::attention {

inline constexpr int kTileRows = 64;  // (token, head) pairs that share one pass over K and V
inline constexpr int kTileKeys = 64;  // keys per step of that pass; tile t holds positions 64 t .. 64 t + 63

/// Consecutive (token, head) rows of one sequence, for each of one or more KV heads. Rows count the heads
/// of a group side by side: with 4 heads per KV head, row 9 is head 1 of token 2. So they stand in order of
/// position.
struct FlashTile {
  const float* q;         // first token of the sequence's queries, first head of the first KV head
  float* out;             // of the same token and head
  float* lse;             // of the same token, one number per head; null: not requested
  std::int64_t q_stride;  // elements from one token to the next
  std::int64_t out_stride;
  std::int64_t lse_stride;
  const std::byte* keys;    // slot 0, first KV head
  const std::byte* values;  // slot 0, first KV head
  std::size_t key_stride;   // bytes from one slot to the next
  std::size_t value_stride;
  KvTable table;  // position -> slot
  DType kv_dtype;
  int group;          // heads per KV head
  int row_begin;      // first row of this tile
  int rows;           // per KV head; >= 1
  int kv_heads;       // rows * kv_heads <= kTileRows
  int first_visible;  // keys that token 0 of the queries sees
  int head_dim;       // a multiple of 4
  int window;         // 0: off
  float scale;
  float softcap;  // 0: off
  int chunk = 0;  // keys after which the state begins anew, a multiple of kTileKeys; 0: never
  // A part of the work: keys key_begin .. key_end - 1, whole chunks of them. Their states go to `partial`,
  // [chunks, flash_partial_floats(all_rows())], and nothing to `out`.
  int key_begin = 0, key_end = 1 << 30;
  float* partial = nullptr;

  int all_rows() const { return rows * kv_heads; }

  int token(int row) const { return (row_begin + row) / group; }
  int head(int row) const { return (row_begin + row) % group; }
  /// The row sees the keys at positions first(row) .. visible(row) - 1.
  int visible(int row) const { return first_visible + token(row); }
  int first(int row) const { return first_of(visible(row)); }
  int first_of(int visible) const { return window > 0 && visible > window ? visible - window : 0; }
};

/// Floats of scratch memory that one tile needs, in whole cache lines; see TileMemory in flash_tile.cpp.
constexpr std::int64_t flash_scratch_floats(int head_dim) {
  return std::int64_t{head_dim} * (3 * kTileRows + 2 * kTileKeys) + kTileRows * (kTileKeys + 5);
}
/// Floats of the state of one chunk.
constexpr std::int64_t flash_partial_floats(int all_rows, int head_dim) {
  return std::int64_t{all_rows} * (head_dim + 2);
}

/// Writes the rows of one tile, or its `partial`. scratch [flash_scratch_floats(head_dim)], best on a cache
/// line border.
void flash_tile(const FlashTile& tile, float* scratch);
/// Writes the rows of a tile from the states of all its chunks, in the order of their keys: tile.partial
/// [chunks, flash_partial_floats(all_rows())]. The first one is overwritten.
void flash_merge(const FlashTile& tile, int chunks);

}  // namespace rung::attention
