// The kernel of the rung `packed`: a panel of 16 rows times a few tokens.
//
// Included once per instruction set, by packed_plain.cpp and its neighbors, hence no include guard.
//
// The order of every operation on floats is that of int8.cpp, and lanes never meet: so the bits are those of
// int8.cpp, for every instruction set and every batch.

#include "packed_weights-inl.h"

// The first tokens that meet a panel wait for memory, which can be faster than the processor's own prefetcher
// asks for it: that begins anew at every page of 4 KB. All further tokens find the panel in a near cache.
constexpr int kAhead = 4096;  // bytes

/// Where a tile of x stands; moves on block by block.
template <DType kType, int T>
struct TileOfRows {
  static constexpr int kHalves = packed_format(kType).halves;
  static constexpr bool kShifted = Weights<kType>::kShifted;
  const std::int8_t* quants;
  const float* scales;
  const std::int32_t* starts = nullptr;  // of shifted weights
  const float* scaled_sums = nullptr;    // of all others

  TileOfRows(const QuantizedRows& x, std::int64_t first) : quants(x.quants(first)), scales(x.scales(first)) {
    if constexpr (kShifted) {
      starts = x.starts(first);
    } else {
      scaled_sums = x.scaled_sums(first);
    }
  }

  RUNG_INLINE void next() {
    quants += T * kIntegerBlock;
    scales += T;
    if constexpr (kShifted) {
      starts += T * kHalves;
    } else {
      scaled_sums += T * kHalves;
    }
  }
};

/// sum[t] += the block's 32 columns of one part of the panel times T tokens. shared: d and d_min of the K
/// formats.
template <DType kType, int T>
RUNG_INLINE void add_block(const std::byte* block, int part, const Floats (&shared)[2],
                           const TileOfRows<kType, T>& x, Floats (&sum)[T]) {
  using W = Weights<kType>;
  constexpr PackedFormat kFormat = W::kFormat;
  constexpr int kGroups = kColumnGroups / kFormat.halves;
  Bytes w[kColumnGroups];
  W::unpack(block, part, w);
  const std::byte* scales = block + kFormat.quant_bytes();
  RUNG_UNROLL
  for (int h = 0; h < kFormat.halves; ++h) {
    const BlockScales<kType> block_scales(scales, h, part, shared);
    const Bytes(&columns)[kGroups] = reinterpret_cast<const Bytes(&)[kGroups]>(w[h * kGroups]);
    RUNG_UNROLL
    for (int t = 0; t < T; ++t) {
      const std::int32_t start = W::kShifted ? x.starts[t * kFormat.halves + h] : 0;
      const auto product = Isa::template dot<kGroups, kFormat.largest(), W::kSigned>(
          columns, x.quants + t * kIntegerBlock + h * kGroups * 4, start);
      sum[t] = Isa::multiply_add(Isa::to_floats(product),
                                 Isa::multiply(block_scales.scale, Isa::set(x.scales[t])), sum[t]);
      if constexpr (kFormat.minimum) {
        sum[t] =
            Isa::multiply_add(block_scales.minimum, Isa::set(x.scaled_sums[t * kFormat.halves + h]), sum[t]);
      }
    }
  }
}

/// P parts of the panel, from `first_part` on, times T tokens, over all columns. kStream: the panel comes
/// from memory.
template <DType kType, int T, int P, bool kStream>
RUNG_INLINE void multiply_tile(const PackedTask& task, std::int64_t panel, int first_part,
                               std::int64_t token) {
  constexpr PackedFormat kFormat = packed_format(kType);
  const std::int64_t groups = task.cols / (kIntegerBlock * kFormat.blocks_per_group());
  const std::byte* at = task.panels + panel * groups * kFormat.group_bytes();
  TileOfRows<kType, T> x(*task.x, token);
  Floats sum[P][T];
  RUNG_UNROLL
  for (int p = 0; p < P; ++p) {
    RUNG_UNROLL
    for (int t = 0; t < T; ++t) sum[p][t] = Isa::zero();
  }
  for (std::int64_t g = 0; g < groups; ++g) {
    Floats shared[P][2];
    if constexpr (kFormat.k_scales()) {
      RUNG_UNROLL
      for (int p = 0; p < P; ++p) {
        shared[p][0] = Isa::load_half(at + (first_part + p) * Isa::kRows * 2);
        if constexpr (kFormat.minimum) {
          shared[p][1] = Isa::load_half(at + (kPanelRows + (first_part + p) * Isa::kRows) * 2);
        }
      }
      at += kFormat.header_bytes();
    }
    for (int b = 0; b < kFormat.blocks_per_group(); ++b, at += kFormat.block_bytes(), x.next()) {
      if constexpr (kStream) {
        for (int line = 0; line < kFormat.block_bytes(); line += 64) __builtin_prefetch(at + kAhead + line);
      }
      RUNG_UNROLL
      for (int p = 0; p < P; ++p) add_block<kType, T>(at, first_part + p, shared[p], x, sum[p]);
    }
  }
  RUNG_UNROLL
  for (int p = 0; p < P; ++p) {
    const std::int64_t row = panel * kPanelRows + (first_part + p) * Isa::kRows;
    const std::int64_t rows = std::min<std::int64_t>(Isa::kRows, task.rows - row);
    RUNG_UNROLL
    for (int t = 0; t < T; ++t) {
      float* y = task.y.ptr<float>(token + t) + row;
      if (rows == Isa::kRows) {
        Isa::store(sum[p][t], y);
      } else if (rows > 0) {
        float all[Isa::kRows];
        Isa::store(sum[p][t], all);
        std::memcpy(y, all, static_cast<std::size_t>(rows) * sizeof(float));
      }
    }
  }
}

/// T tokens times the task's panels. One token: the panel is one stream, and all of its rows are summed as it
/// passes. More: it stays in a near cache, and each of its parts is unpacked once for T tokens.
template <DType kType, int T, bool kStream>
void multiply_tokens(const PackedTask& task, std::int64_t token) {
  constexpr int kTogether = T == 1 ? kParts : 1;
  for (std::int64_t panel = task.begin; panel < task.end; ++panel) {
    for (int part = 0; part < kParts; part += kTogether) {
      multiply_tile<kType, T, kTogether, kStream>(task, panel, part, token);
    }
  }
}

/// The tokens that do not fill a tile: tries T, T - 1, ... until it fits.
template <DType kType, int T>
void multiply_last_tokens(const PackedTask& task, std::int64_t token) {
  if constexpr (T > 0) {
    if (task.x->tokens() - token == T) {
      multiply_tokens<kType, T, true>(task, token);
    } else {
      multiply_last_tokens<kType, T - 1>(task, token);
    }
  }
}

template <DType kType>
void multiply(const PackedTask& task) {
  constexpr int T = Isa::kTokens;
  if (task.x->tokens() < T) return multiply_last_tokens<kType, T - 1>(task, 0);
  multiply_tokens<kType, T, true>(task, 0);
  std::int64_t token = T;
  for (; token + T <= task.x->tokens(); token += T) multiply_tokens<kType, T, false>(task, token);
  multiply_last_tokens<kType, T - 1>(task, token);
}

inline void run(const PackedTask& task) {
  for_packed_type(task.dtype, [&]<DType kType>() { multiply<kType>(task); });
}

inline constexpr PackedKernels kKernels{
    run, Isa::kTokens, Isa::kUnsignedBytes ? Quants::as_unsigned : Quants::as_stored, nullptr};
