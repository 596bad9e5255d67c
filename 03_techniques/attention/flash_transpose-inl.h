// Keys of a tile on their side, so that lanes are keys and no sum crosses lanes.
//
// Included by flash_tile.cpp once per instruction set, hence no include guard; D, V and kLanes are its own.

#if HWY_TARGET == HWY_SCALAR

/// transposed[c][k] = keys[k][c] for keys begin .. end - 1.
template <class Ahead>
void transpose_keys(const float* const* keys, int begin, int end, int head_dim, float* transposed,
                    Ahead& /*ahead*/) {
  for (int k = begin; k < end; ++k) {
    for (int c = 0; c < head_dim; ++c) transposed[c * kTileKeys + k] = keys[k][c];
  }
}

#else

/// Four numbers from column c of every fourth of kLanes rows: block b holds rows[4 b][c .. c + 3].
template <class Tag>
HWY_INLINE hn::Vec<Tag> load_blocks(Tag d, const float* const* rows, int c) {
  constexpr int lanes = static_cast<int>(hn::MaxLanes(Tag()));
  if constexpr (lanes <= 4) {
    return hn::LoadU(d, rows[0] + c);
  } else {
    const hn::Half<Tag> half;
    return hn::Combine(d, load_blocks(half, rows + lanes / 2, c), load_blocks(half, rows, c));
  }
}

/// The same with vectors. Columns that fill up the vectors at either end repeat the key there.
template <class Ahead>
void transpose_keys(const float* const* keys, int begin, int end, int head_dim, float* transposed,
                    Ahead& ahead) {
  const D d;
  const hn::RepartitionToWide<hn::RebindToUnsigned<D>> pairs;
  for (int k = begin - begin % kLanes; k < end; k += kLanes) {
    const float* rows[kLanes];
    for (int i = 0; i < kLanes; ++i) rows[i] = keys[std::clamp(k + i, begin, end - 1)];
    for (int c = 0; c < head_dim; c += 4) {
      ahead.more(5);
      const V r0 = load_blocks(d, rows + 0, c), r1 = load_blocks(d, rows + 1, c);
      const V r2 = load_blocks(d, rows + 2, c), r3 = load_blocks(d, rows + 3, c);
      // Within each block of four lanes this is the 4 x 4 transpose: first pairs, then pairs of pairs.
      const auto low01 = hn::BitCast(pairs, hn::InterleaveLower(d, r0, r1));
      const auto low23 = hn::BitCast(pairs, hn::InterleaveLower(d, r2, r3));
      const auto high01 = hn::BitCast(pairs, hn::InterleaveUpper(d, r0, r1));
      const auto high23 = hn::BitCast(pairs, hn::InterleaveUpper(d, r2, r3));
      float* to = transposed + c * kTileKeys + k;
      hn::StoreU(hn::BitCast(d, hn::InterleaveLower(pairs, low01, low23)), d, to);
      hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(pairs, low01, low23)), d, to + kTileKeys);
      hn::StoreU(hn::BitCast(d, hn::InterleaveLower(pairs, high01, high23)), d, to + 2 * kTileKeys);
      hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(pairs, high01, high23)), d, to + 3 * kTileKeys);
    }
  }
}

#endif
