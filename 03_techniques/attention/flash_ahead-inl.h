// What the next step of a tile will read, asked for a few lines at a time while this one computes. A row of
// some KV heads is too short, and the next one too far away, for the processor's own prefetcher; so memory
// and arithmetic would take turns. They still do if all lines are asked for at once: a core has a dozen or so
// on their way, and whoever wants another waits.
//
// Included by flash_tile.cpp once per instruction set, hence no include guard.

class AskAhead {
 public:
  /// Part `part` of `parts` of the rows of positions [key, end), with the columns of all of the tile's heads.
  void start(const FlashTile& tile, int key, int end, int part, int parts) {
    bytes_ = bytes_of(tile.kv_dtype, std::int64_t{tile.kv_heads} * tile.head_dim);
    at_ = row_end_ = nullptr;
    next_ = stop_ = rows_;
    for (int p = key + (end - key) * part / parts; p < key + (end - key) * (part + 1) / parts; ++p) {
      const auto slot = static_cast<std::size_t>(tile.table.slot(p));
      *stop_++ = tile.keys + slot * tile.key_stride;
      *stop_++ = tile.values + slot * tile.value_stride;
    }
  }

  /// Asks for `lines` more. Into the second-level cache: a step's keys and values of all heads, and what is
  /// made of them, are too much for the first.
  HWY_INLINE void more(int lines) {
    for (int i = 0; i < lines; ++i, at_ += 64) {
      if (at_ >= row_end_) {
        if (next_ == stop_) return;
        at_ = *next_++;
        row_end_ = at_ + bytes_;
      }
      __builtin_prefetch(at_, 0, 2);
    }
  }

 private:
  std::size_t bytes_ = 0;
  const std::byte *at_ = nullptr, *row_end_ = nullptr;
  const std::byte* rows_[2 * kTileKeys];
  const std::byte **next_ = rows_, **stop_ = rows_;
};

struct AskNothing {
  void start(const FlashTile&, int, int, int, int) {}
  void more(int) {}
};
