// What a matrix tile of bfloat16 computes, in loops over 16 rows that the compiler turns into vectors.
// bf16_tiles.cpp includes it once per instruction set, hence no include guard.

/// sum[r] += the 32 products of a chunk. w [16 pairs, 16 rows]: the even column of a pair in the low half of
/// a word.
inline __attribute__((always_inline)) void add_chunk(const std::uint32_t* w, const std::uint16_t* x,
                                                     float (&sum)[kTile]) {
  float even[kTile] = {}, odd[kTile] = {};
  for (int k = 0; k < kChunk / 2; ++k) {
    const float x_even = std::bit_cast<float>(std::uint32_t{x[2 * k]} << 16);
    const float x_odd = std::bit_cast<float>(std::uint32_t{x[2 * k + 1]} << 16);
    for (int r = 0; r < kTile; ++r) {
      const std::uint32_t pair = w[k * kTile + r];
      even[r] = __builtin_fmaf(std::bit_cast<float>(pair << 16), x_even, even[r]);
      odd[r] = __builtin_fmaf(std::bit_cast<float>(pair & 0xffff0000u), x_odd, odd[r]);
    }
  }
  for (int r = 0; r < kTile; ++r) sum[r] += even[r] + odd[r];
}

inline void run(const Task& task) {
  multiply(task, [](const Task& t, std::int64_t token, std::int64_t n, std::int64_t begin, std::int64_t end,
                    float* sums) {
    const std::int64_t width = (t.end - t.begin) * kTile;
    for (std::int64_t panel = t.begin; panel < t.end; ++panel) {
      for (std::int64_t i = 0; i < n; ++i) {
        float* const at = sums + i * width + (panel - t.begin) * kTile;
        float sum[kTile];
        std::memcpy(sum, at, sizeof sum);
        const std::int64_t first = token + i / kTile * kTile;
        for (std::int64_t c = begin; c < end; ++c) {
          add_chunk(reinterpret_cast<const std::uint32_t*>(t.tile(panel, c)),
                    t.x->tile(first, c) + i % kTile * kChunk, sum);
        }
        std::memcpy(at, sum, sizeof sum);
      }
    }
  });
}
