// The weights of the rung `packed`: one block of a panel, unpacked to bytes and scales.
//
// Included once per instruction set, hence no include guard; the namespace that includes it holds a struct
// Isa (packed_isa-*.h), which says how many of a panel's rows one vector holds, and its few operations.

using Bytes = Isa::Bytes;    // four columns of Isa::kRows rows
using Floats = Isa::Floats;  // one number per row
constexpr int kParts = kPanelRows / Isa::kRows;

template <DType kType>
struct Weights {
  static constexpr PackedFormat kFormat = packed_format(kType);
  static constexpr bool kSigned = kFormat.bits == 8 || kFormat.table;
  static constexpr bool kShifted = kFormat.offset != 0 || (kSigned && Isa::kUnsignedBytes);
  /// The largest magnitude of a stored quant: how many products of two bytes fit into 16 bits.
  static constexpr int kLargest = kSigned ? 128 : (1 << kFormat.bits) - 1;

  /// The quants of one block, as bytes: w[g] holds columns 4g .. 4g + 3 of the rows of `part`.
  static RUNG_INLINE void unpack(const std::byte* block, int part, Bytes (&w)[kColumnGroups]) {
    const std::byte* at = block + part * Isa::kRows * 4;
    if constexpr (kFormat.bits == 8) {
      RUNG_UNROLL
      for (int g = 0; g < kColumnGroups; ++g) w[g] = Isa::as_stored_signed(Isa::load(at + g * kVectorBytes));
      return;
    }
    RUNG_UNROLL
    for (int v = 0; v < 4; ++v) {
      const Bytes pair = Isa::load(at + v * kVectorBytes);
      w[v] = Isa::template shifted_and<0, 15>(pair);
      w[v + 4] = Isa::template shifted_and<-4, 15>(pair);
    }
    if constexpr (kFormat.table) {
      RUNG_UNROLL
      for (int g = 0; g < kColumnGroups; ++g)
        w[g] = Isa::as_stored_signed(Isa::look_up(kIq4NlValues.data(), w[g]));
    }
    if constexpr (kFormat.bits == 5) {
      const Bytes plane = Isa::load(at + 4 * kVectorBytes);
      add_fifth<0>(plane, w);
    }
    if constexpr (kFormat.bits == 6) {
      add_sixth<0>(Isa::load(at + 4 * kVectorBytes), Isa::load(at + 5 * kVectorBytes), w);
    }
  }

  /// Moves bit g of the plane to bit 4 and joins it to w[g].
  template <int g>
  static RUNG_INLINE void add_fifth(Bytes plane, Bytes (&w)[kColumnGroups]) {
    w[g] = Isa::join(w[g], Isa::template shifted_and<4 - g, 16>(plane));
    if constexpr (g + 1 < kColumnGroups) add_fifth<g + 1>(plane, w);
  }
  /// Moves bits 2g and 2g + 1 of both planes to bits 4 and 5.
  template <int g>
  static RUNG_INLINE void add_sixth(Bytes first, Bytes second, Bytes (&w)[kColumnGroups]) {
    w[g] = Isa::join(w[g], Isa::template shifted_and<4 - 2 * g, 48>(first));
    w[g + 4] = Isa::join(w[g + 4], Isa::template shifted_and<4 - 2 * g, 48>(second));
    if constexpr (g < 3) add_sixth<g + 1>(first, second, w);
  }
};

/// Scale and minimum of half `half` of a block, for one part of the panel's rows. `stored`: where the block's
/// scales begin; shared: d and d_min of the K formats.
template <DType kType>
struct BlockScales {
  Floats scale, minimum;

  RUNG_INLINE BlockScales(const std::byte* stored, int half, int part, const Floats (&shared)[2]) {
    constexpr PackedFormat kFormat = packed_format(kType);
    minimum = Isa::zero();
    if constexpr (kFormat.k_scales) {
      const std::byte* small = stored + half * kPanelRows + part * Isa::kRows;
      scale = Isa::multiply(shared[0], Isa::load_small(small));
      if constexpr (kFormat.minimum) {
        // A fused -(d_min * m) * s and a rounded one are the same: d_min * m is exact.
        minimum = Isa::negate(Isa::multiply(shared[1], Isa::load_small(small + kPanelRows)));
      }
    } else {
      scale = Isa::load_half(stored + part * Isa::kRows * 2);
      if constexpr (kFormat.minimum) minimum = Isa::load_half(stored + (kPanelRows + part * Isa::kRows) * 2);
    }
  }
};
