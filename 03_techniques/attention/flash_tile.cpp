// The arithmetic of one flash tile, written once with Google Highway and compiled for AVX-512, AVX2 and
// plain code. For every 64 keys:
//
//     K^T  <- the keys turned on their side, [head_dim, 64]: lanes are keys, no sums across lanes
//     S    <- q K^T, [rows, 64]                            up to six rows share every load of K^T
//     S    <- cap tanh(S / cap)                            where the model caps its scores
//     S    <- exp(S - m), m the running maximum            online softmax, one step per 64 keys
//     acc  <- acc * shrink + S V, [rows, head_dim]         up to six rows share every load of V
//
// Each line keeps a fixed order of operations within a row; which rows are computed together never
// changes it. Where a tile's keys are cut into chunks, each chunk begins anew and is added to those before
// it. Exponentials are taken in base 2, with log2(e) folded into q.

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "03_techniques/attention/flash_tile.cpp"
#include <hwy/foreach_target.h>  // must come before highway.h

#include <hwy/contrib/math/math-inl.h>
#include <hwy/highway.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "attention.hpp"
#include "core/simd.hpp"
#include "flash_tile.hpp"
#include "widen.hpp"

HWY_BEFORE_NAMESPACE();
namespace rung::attention::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using D = hn::ScalableTag<float>;
using V = hn::Vec<D>;
constexpr int kLanes = static_cast<int>(hn::MaxLanes(D()));
constexpr int kFewRows = 16;   // of a KV head: decode, or nearly so, where memory is the limit
constexpr int kBlockRows = 6;  // at most, that share every load of K or V
constexpr float kLog2e = 1.44269504f;
// Accumulators per row: with six rows 24 of AVX-512's 32 registers, 12 of AVX2's 16.
constexpr int kBlockVectors = kLanes >= 16 ? 4 : 2;

/// 2^x for x <= 0. x = n + f with |f| <= 1/2; 2^f by a polynomial of degree 6 (fitted to a relative error
/// of 3e-9, so rounding dominates: below 2 ulp in all); n goes into the exponent bits. Adding `round`
/// leaves n + 127 in the low bits of the sum. Below 2^-126 the result is 0.
HWY_INLINE V exp2(V x) {
  const D d;
  const hn::RebindToUnsigned<D> bits;
  const V round = hn::Set(d, 0x1.8p23f + 127.0f);
  const V shifted = hn::Add(x, round);
  const V f = hn::Sub(x, hn::Sub(shifted, round));
  V p = hn::Set(d, 1.546649848e-4f);
  p = hn::MulAdd(p, f, hn::Set(d, 1.339857871e-3f));
  p = hn::MulAdd(p, f, hn::Set(d, 9.618039151e-3f));
  p = hn::MulAdd(p, f, hn::Set(d, 5.550333533e-2f));
  p = hn::MulAdd(p, f, hn::Set(d, 2.402265106e-1f));
  p = hn::MulAdd(p, f, hn::Set(d, 6.931472020e-1f));
  p = hn::MulAdd(p, f, hn::Set(d, 1.0f));
  const V power = hn::BitCast(d, hn::ShiftLeft<23>(hn::BitCast(bits, shifted)));
  return hn::IfThenZeroElse(hn::Lt(x, hn::Set(d, -126.0f)), hn::Mul(p, power));
}

#include "flash_ahead-inl.h"
#include "flash_transpose-inl.h"

/// scores[r][k] = q[r] . key k, for kRows rows of q [kRows, head_dim] and keys begin .. end - 1. What stands
/// in other columns afterwards means nothing.
template <int kRows, class Ahead>
void score_rows(const float* q, const float* transposed, int head_dim, int begin, int end, float* scores,
                Ahead& ahead) {
  const D d;
  constexpr int kBlock = kBlockVectors * kLanes;
  for (int k = begin - begin % kBlock; k < end; k += kBlock) {
    V sum[kRows][kBlockVectors];
    for (auto& row : sum) {
      for (V& s : row) s = hn::Zero(d);
    }
    for (int c = 0; c < head_dim; ++c) {
      ahead.more(1);
      V key[kBlockVectors];
      for (int v = 0; v < kBlockVectors; ++v)
        key[v] = hn::LoadU(d, transposed + c * kTileKeys + k + v * kLanes);
      for (int r = 0; r < kRows; ++r) {
        const V x = hn::Set(d, q[r * head_dim + c]);
        for (int v = 0; v < kBlockVectors; ++v) sum[r][v] = hn::MulAdd(x, key[v], sum[r][v]);
      }
    }
    for (int r = 0; r < kRows; ++r) {
      for (int v = 0; v < kBlockVectors; ++v)
        hn::StoreU(sum[r][v], d, scores + r * kTileKeys + k + v * kLanes);
    }
  }
}

/// scores = cap tanh(scores / cap) for keys begin .. end - 1.
void cap_row(float* scores, int begin, int end, float cap) {
  const D d;
  for (int k = begin - begin % kLanes; k < end; k += kLanes) {
    const V x = hn::Div(hn::LoadU(d, scores + k), hn::Set(d, cap));
    hn::StoreU(hn::Mul(hn::Tanh(d, x), hn::Set(d, cap)), d, scores + k);
  }
}

/// One step of the online softmax: scores of keys begin .. end - 1 become weights 2^(score - maximum).
/// Returns the factor by which everything summed before must shrink.
float weigh_row(float* scores, int begin, int end, float* maximum, float* sum) {
  const D d;
  const V none = hn::Set(d, -std::numeric_limits<float>::infinity());
  V largest = hn::Set(d, *maximum);
  const int start = begin - begin % kLanes;
  if (start < begin) {  // these lie before the window
    const auto hidden = hn::FirstN(d, static_cast<std::size_t>(begin - start));
    hn::StoreU(hn::IfThenElse(hidden, none, hn::LoadU(d, scores + start)), d, scores + start);
  }
  for (int k = start; k < end; k += kLanes) {
    const auto seen = hn::FirstN(d, static_cast<std::size_t>(end - k));
    const V s = hn::IfThenElse(seen, hn::LoadU(d, scores + k), none);
    largest = hn::Max(largest, s);
    hn::StoreU(s, d, scores + k);
  }
  largest = hn::MaxOfLanes(d, largest);
  V total = hn::Zero(d);
  for (int k = start; k < end; k += kLanes) {
    const V weight = exp2(hn::Sub(hn::LoadU(d, scores + k), largest));
    total = hn::Add(total, weight);
    hn::StoreU(weight, d, scores + k);
  }
  const float shrink = hn::GetLane(exp2(hn::Sub(hn::Set(d, *maximum), largest)));
  *sum = *sum * shrink + hn::GetLane(hn::SumOfLanes(d, total));
  *maximum = hn::GetLane(largest);
  return shrink;
}

/// acc[r] = acc[r] * shrink[r] + sum over keys begin .. end - 1 of weights[r][key] * values[key], in columns
/// [c, c + kVectors * lanes) of kRows rows.
template <int kRows, int kVectors, class Tag, class Ahead>
HWY_INLINE void mix_columns(Tag d, const float* weights, const float* const* values, int begin, int end,
                            const float* shrink, float* acc, int head_dim, int c, Ahead& ahead) {
  constexpr int lanes = static_cast<int>(hn::MaxLanes(Tag()));
  hn::Vec<Tag> sum[kRows][kVectors];
  for (int r = 0; r < kRows; ++r) {
    for (int v = 0; v < kVectors; ++v) {
      sum[r][v] = hn::Mul(hn::LoadU(d, acc + r * head_dim + c + v * lanes), hn::Set(d, shrink[r]));
    }
  }
  for (int k = begin; k < end; ++k) {
    ahead.more(2);
    hn::Vec<Tag> value[kVectors];
    for (int v = 0; v < kVectors; ++v) value[v] = hn::LoadU(d, values[k] + c + v * lanes);
    for (int r = 0; r < kRows; ++r) {
      const auto weight = hn::Set(d, weights[r * kTileKeys + k]);
      for (int v = 0; v < kVectors; ++v) sum[r][v] = hn::MulAdd(weight, value[v], sum[r][v]);
    }
  }
  for (int r = 0; r < kRows; ++r) {
    for (int v = 0; v < kVectors; ++v) hn::StoreU(sum[r][v], d, acc + r * head_dim + c + v * lanes);
  }
}

/// The same for all columns: wide pieces, then single vectors, then fours for what is left.
template <int kRows, class Ahead>
void mix_rows(const float* weights, const float* const* values, int begin, int end, const float* shrink,
              float* acc, int head_dim, Ahead& ahead) {
  const D d;
  const hn::CappedTag<float, 4> four;
  int c = 0;
  for (; c + kBlockVectors * kLanes <= head_dim; c += kBlockVectors * kLanes) {
    mix_columns<kRows, kBlockVectors>(d, weights, values, begin, end, shrink, acc, head_dim, c, ahead);
  }
  for (; c + kLanes <= head_dim; c += kLanes) {
    mix_columns<kRows, 1>(d, weights, values, begin, end, shrink, acc, head_dim, c, ahead);
  }
  for (; c < head_dim; c += 4) {
    mix_columns<kRows, 1>(four, weights, values, begin, end, shrink, acc, head_dim, c, ahead);
  }
}

/// What some keys say about each of `rows` rows: the mix of their values, not yet divided, the largest score,
/// and the sum of weights. A sum of 0 says that the row sees none of the keys.
struct TileState {
  TileState(float* memory, int rows, int head_dim)
      : acc(memory), maximum(acc + rows * head_dim), sum(maximum + rows) {}
  float* acc;            // [rows, head_dim]
  float *maximum, *sum;  // [rows]
};

/// How flash_scratch_floats() is divided.
struct TileMemory {
  TileMemory(float* memory, int head_dim)
      : q(memory),
        transposed(q + kTileRows * head_dim),
        widened(transposed + kTileKeys * head_dim),
        scores(widened + kTileKeys * head_dim),
        shrink(scores + kTileRows * kTileKeys),
        now(shrink + kTileRows, kTileRows, head_dim),
        before(now.sum + kTileRows, kTileRows, head_dim) {}
  float* q;           // [rows, head_dim], times scale and log2(e)
  float* transposed;  // [head_dim, kTileKeys]
  float* widened;     // [kTileKeys, head_dim], unless the cache is float32
  float* scores;      // [rows, kTileKeys], later weights
  float* shrink;      // [rows]
  TileState now;      // of the chunk of keys at hand
  TileState before;   // of the chunks before it
};

/// Where the keys or values of one tile step stand in float32: [k] is the one at position key + k, for those
/// from `begin` to `end` - 1.
struct Rows {
  const float* row[kTileKeys];
};

/// Finds them for a KV head, through the block table, and widens them where the cache keeps fewer bits. Runs
/// of positions that lie in one block are done together.
Rows rows_of(const FlashTile& tile, const std::byte* all, std::size_t stride, int kv_head, int key, int begin,
             int end, float* widened) {
  Rows rows;
  const std::byte* column = all + bytes_of(tile.kv_dtype, std::int64_t{kv_head} * tile.head_dim);
  const int block = 1 << tile.table.shift;
  for (int k = begin; k < end;) {
    const int position = key + k;
    const int run_end = std::min(end, k + block - (position & (block - 1)));
    const std::byte* from = column + static_cast<std::size_t>(tile.table.slot(position)) * stride;
    if (tile.kv_dtype == DType::f32) {
      for (; k < run_end; ++k, from += stride) rows.row[k] = reinterpret_cast<const float*>(from);
      continue;
    }
    widen_rows(tile.kv_dtype, from, stride, run_end - k, tile.head_dim, widened + k * tile.head_dim);
    for (; k < run_end; ++k) rows.row[k] = widened + k * tile.head_dim;
  }
  return rows;
}

/// One step: keys key_begin .. key_begin + 63 (as far as they are seen) for rows row .. row + kRows - 1 of a
/// KV head. values: from key_begin on.
template <int kRows, class Ahead>
void step(const FlashTile& tile, const TileMemory& m, const Rows& values, int kv_head, int key_begin, int row,
          Ahead& ahead) {
  const int head_dim = tile.head_dim;
  const int place = kv_head * tile.rows + row;  // in the tile's memory
  float* scores = m.scores + place * kTileKeys;
  float* acc = m.now.acc + place * head_dim;
  // Row r sees keys begin[r] .. end[r] - 1 of these 64. Rows stand in order of position: both only grow.
  int begin[kRows], end[kRows];
  for (int r = 0; r < kRows; ++r) {
    const int visible = tile.visible(row + r);
    begin[r] = std::max(0, tile.first_of(visible) - key_begin);
    end[r] = std::min(kTileKeys, visible - key_begin);
  }
  score_rows<kRows>(m.q + place * head_dim, m.transposed, head_dim, begin[0], end[kRows - 1], scores, ahead);
  for (int r = 0; r < kRows; ++r) {
    float* row_scores = scores + r * kTileKeys;
    ahead.more(8);
    if (tile.softcap > 0) cap_row(row_scores, begin[r], end[r], tile.softcap * kLog2e);
    m.shrink[r] = weigh_row(row_scores, begin[r], end[r], m.now.maximum + place + r, m.now.sum + place + r);
  }
  // The keys that all rows see are mixed for all rows at once. At the window's edge earlier rows see a few
  // keys before these, on the mask's diagonal later rows a few after. Same operations in the same order, one
  // row at a time: a weight of zero for the others would not do, because 0 times an infinite value is not 0.
  const int shared_begin = begin[kRows - 1];
  const int shared_end = std::max(end[0], shared_begin);
  const auto mix_alone = [&](int r, int from, int to) {
    if (from >= to) return;
    mix_rows<1>(scores + r * kTileKeys, values.row, from, to, m.shrink + r, acc + r * head_dim, head_dim,
                ahead);
    m.shrink[r] = 1;
  };
  for (int r = 0; r < kRows; ++r) mix_alone(r, begin[r], std::min(shared_begin, end[r]));
  if (shared_begin < shared_end) {
    mix_rows<kRows>(scores, values.row, shared_begin, shared_end, m.shrink, acc, head_dim, ahead);
    std::fill_n(m.shrink, kRows, 1.0f);
  }
  for (int r = 0; r < kRows; ++r) mix_alone(r, shared_end, end[r]);
}

/// The step for so many rows, 1 to kBlockRows; returns how many.
template <class Ahead>
int step_rows(int rows, const FlashTile& tile, const TileMemory& m, const Rows& values, int kv_head,
              int key_begin, int row, Ahead& ahead) {
  switch (rows) {
    case 1:
      step<1>(tile, m, values, kv_head, key_begin, row, ahead);
      break;
    case 2:
      step<2>(tile, m, values, kv_head, key_begin, row, ahead);
      break;
    case 3:
      step<3>(tile, m, values, kv_head, key_begin, row, ahead);
      break;
    case 4:
      step<4>(tile, m, values, kv_head, key_begin, row, ahead);
      break;
    case 5:
      step<5>(tile, m, values, kv_head, key_begin, row, ahead);
      break;
    default:
      step<6>(tile, m, values, kv_head, key_begin, row, ahead);
  }
  return rows;
}

void clear(const TileState& state, int rows, int head_dim) {
  std::fill_n(state.acc, rows * head_dim, 0.0f);
  std::fill_n(state.maximum, rows, -std::numeric_limits<float>::infinity());
  std::fill_n(state.sum, rows, 0.0f);
}

/// before = both chunks together, for every row. Chunks are added in the order of their keys and end where
/// the position says so: whoever computed them, the bits are the same.
void add_chunk(const TileState& before, const TileState& chunk, int rows, int head_dim) {
  const D d;
  const hn::CappedTag<float, 4> four;
  for (int i = 0; i < rows; ++i) {
    const float* from = chunk.acc + i * head_dim;
    float* to = before.acc + i * head_dim;
    if (chunk.sum[i] == 0) continue;
    if (before.sum[i] == 0) {
      std::copy_n(from, head_dim, to);
      before.sum[i] = chunk.sum[i];
      before.maximum[i] = chunk.maximum[i];
      continue;
    }
    const float largest = std::max(before.maximum[i], chunk.maximum[i]);
    const float keep = hn::GetLane(exp2(hn::Set(d, before.maximum[i] - largest)));
    const float take = hn::GetLane(exp2(hn::Set(d, chunk.maximum[i] - largest)));
    const auto mix = [&](auto tag, int c) {
      const auto more = hn::Mul(hn::LoadU(tag, from + c), hn::Set(tag, take));
      hn::StoreU(hn::MulAdd(hn::LoadU(tag, to + c), hn::Set(tag, keep), more), tag, to + c);
    };
    int c = 0;
    for (; c + kLanes <= head_dim; c += kLanes) mix(d, c);
    for (; c < head_dim; c += 4) mix(four, c);
    before.sum[i] = before.sum[i] * keep + chunk.sum[i] * take;
    before.maximum[i] = largest;
  }
}

/// A row's head, counted from the tile's first one.
int head_of(const FlashTile& tile, int place) {
  return place / tile.rows * tile.group + tile.head(place % tile.rows);
}
/// Where q and out of a row's head begin, counted from those of the tile's first token.
int column(const FlashTile& tile, int place) { return head_of(tile, place) * tile.head_dim; }

void write_rows(const FlashTile& tile, const TileState& state) {
  for (int i = 0; i < tile.all_rows(); ++i) {
    const int token = tile.token(i % tile.rows);
    float* out = tile.out + token * tile.out_stride + column(tile, i);
    const float* acc = state.acc + i * tile.head_dim;
    for (int d = 0; d < tile.head_dim; ++d) out[d] = acc[d] / state.sum[i];
    if (tile.lse == nullptr) continue;
    // The maximum is a score times log2(e).
    tile.lse[token * tile.lse_stride + head_of(tile, i)] = state.maximum[i] / kLog2e + std::log(state.sum[i]);
  }
}

/// The chunk that holds `key` is complete.
void end_chunk(const FlashTile& tile, const TileMemory& m, int key) {
  const int head_dim = tile.head_dim, all_rows = tile.all_rows();
  if (tile.partial == nullptr) return add_chunk(m.before, m.now, all_rows, head_dim);
  const int chunk = (key - tile.key_begin) / tile.chunk;
  const TileState partial(tile.partial + chunk * flash_partial_floats(all_rows, head_dim), all_rows,
                          head_dim);
  std::copy_n(m.now.acc, all_rows * head_dim, partial.acc);
  std::copy_n(m.now.maximum, all_rows, partial.maximum);
  std::copy_n(m.now.sum, all_rows, partial.sum);
}

/// All steps of a tile, from its first key to the last that a row sees.
template <class Ahead>
void walk(const FlashTile& tile, const TileMemory& m) {
  const int head_dim = tile.head_dim, all_rows = tile.all_rows();
  const int visible = std::min(tile.visible(tile.rows - 1), tile.key_end);
  const int first = std::max(tile.first(0) / kTileKeys * kTileKeys, tile.key_begin);
  Ahead ahead;
  ahead.start(tile, first, std::min(first + kTileKeys, visible), 0, 1);
  ahead.more(1 << 20);
  int row_begin = 0, row_end = 0;  // the rows that see some of these keys
  for (int key = first; key < visible; key += kTileKeys) {
    if (tile.chunk > 0 && key % tile.chunk == 0 && key > first) {
      end_chunk(tile, m, key - 1);
      clear(m.now, all_rows, head_dim);
    }
    while (tile.visible(row_begin) <= key) ++row_begin;
    while (row_end < tile.rows && tile.first(row_end) < key + kTileKeys) ++row_end;
    const int begin = std::max(0, tile.first(row_begin) - key);
    const int end = std::min(kTileKeys, visible - key);
    const int next_end = std::min(key + 2 * kTileKeys, visible);
    for (int h = 0; h < tile.kv_heads; ++h) {
      ahead.start(tile, std::min(key + kTileKeys, next_end), next_end, h, tile.kv_heads);
      const Rows keys = rows_of(tile, tile.keys, tile.key_stride, h, key, begin, end, m.widened);
      transpose_keys(keys.row, begin, end, head_dim, m.transposed, ahead);
      // The keys are no longer needed as they were: the values may stand in their place.
      const Rows values = rows_of(tile, tile.values, tile.value_stride, h, key, begin, end, m.widened);
      for (int row = row_begin, left; (left = row_end - row) > 0;) {
        // As even as it goes: eight rows are twice four, not six and two.
        const int blocks = (left + kBlockRows - 1) / kBlockRows;
        row += step_rows((left + blocks - 1) / blocks, tile, m, values, h, key, row, ahead);
      }
    }
  }
  end_chunk(tile, m, visible - 1);
}

void flash_tile(const FlashTile& tile, float* scratch) {
  const int head_dim = tile.head_dim, all_rows = tile.all_rows();
  const TileMemory m(scratch, head_dim);
  const float scale = tile.scale * kLog2e;
  for (int i = 0; i < all_rows; ++i) {
    const float* q = tile.q + tile.token(i % tile.rows) * tile.q_stride + column(tile, i);
    for (int d = 0; d < head_dim; ++d) m.q[i * head_dim + d] = q[d] * scale;
  }
  clear(m.now, all_rows, head_dim);
  std::fill_n(m.before.sum, all_rows, 0.0f);  // no chunk yet: add_chunk() reads nothing else of it

  // With many rows a key that was fetched serves long enough, and asking costs.
  if (tile.rows <= kFewRows) {
    walk<AskAhead>(tile, m);
  } else {
    walk<AskNothing>(tile, m);
  }

  if (tile.partial == nullptr) write_rows(tile, m.before);
}

void flash_merge(const FlashTile& tile, int chunks) {
  const int head_dim = tile.head_dim, all_rows = tile.all_rows();
  const TileState total(tile.partial, all_rows, head_dim);
  for (int c = 1; c < chunks; ++c) {
    const TileState chunk(tile.partial + c * flash_partial_floats(all_rows, head_dim), all_rows, head_dim);
    add_chunk(total, chunk, all_rows, head_dim);
  }
  write_rows(tile, total);
}

void exp2_of(const float* x, float* y, std::int64_t n) {
  const D d;
  for (std::int64_t i = 0; i < n; ++i) y[i] = hn::GetLane(exp2(hn::Set(d, x[i])));
}

}  // namespace rung::attention::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace rung::attention {

HWY_EXPORT(flash_tile);
HWY_EXPORT(flash_merge);
HWY_EXPORT(exp2_of);

void flash_tile(const FlashTile& tile, float* scratch) { HWY_DYNAMIC_DISPATCH(flash_tile)(tile, scratch); }
void flash_merge(const FlashTile& tile, int chunks) { HWY_DYNAMIC_DISPATCH(flash_merge)(tile, chunks); }

void exp2_of(const float* x, float* y, std::int64_t n) {
  simd_level();
  HWY_DYNAMIC_DISPATCH(exp2_of)(x, y, n);
}

}  // namespace rung::attention
#endif
