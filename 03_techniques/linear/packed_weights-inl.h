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
  static constexpr bool kSigned = kFormat.has_signed_quants();
  static constexpr bool kShifted = kFormat.offset != 0 || (kSigned && Isa::kUnsignedBytes);
  static constexpr std::array<std::int8_t, 16> kValues = kFormat.values();

  /// The quants of one block, as bytes: w[g] holds columns 4g .. 4g + 3 of the rows of `part`.
  static RUNG_INLINE void unpack(const std::byte* block, int part, Bytes (&w)[kColumnGroups]) {
    const std::byte* at = block + part * Isa::kRows * 4;
    if constexpr (kFormat.bits == 8) {
      RUNG_UNROLL
      for (int g = 0; g < kColumnGroups; ++g) w[g] = Isa::as_stored_signed(Isa::load(at + g * kVectorBytes));
      return;
    }
    if constexpr ((kFormat.bits & 4) != 0) {
      RUNG_UNROLL
      for (int v = 0; v < 4; ++v) {
        const Bytes pair = Isa::load(at + v * kVectorBytes);
        w[v] = Isa::template shifted_and<0, 15>(pair);
        w[v + 4] = Isa::template shifted_and<-4, 15>(pair);
      }
    }
    if constexpr ((kFormat.bits & 2) != 0) {
      constexpr int kBelow = kFormat.bits & 4;
      add_pairs<kBelow, 0>(Isa::load(at + kBelow * kVectorBytes), Isa::load(at + (kBelow + 1) * kVectorBytes),
                           w);
    }
    if constexpr ((kFormat.bits & 1) != 0) {
      constexpr int kBelow = kFormat.bits & 6;
      add_bits<kBelow, 0>(Isa::load(at + kBelow * kVectorBytes), w);
    }
    if constexpr (kFormat.table != nullptr) {
      RUNG_UNROLL
      for (int g = 0; g < kColumnGroups; ++g) {
        w[g] = Isa::look_up(kValues.data(), w[g]);
        if constexpr (kSigned) w[g] = Isa::as_stored_signed(w[g]);
      }
    }
  }

  /// Moves bits 2g and 2g + 1 of both vectors above kBelow others, and joins them to w[g] and w[g + 4].
  template <int kBelow, int g>
  static RUNG_INLINE void add_pairs(Bytes first, Bytes second, Bytes (&w)[kColumnGroups]) {
    put<kBelow>(Isa::template shifted_and<kBelow - 2 * g, (3 << kBelow)>(first), w[g]);
    put<kBelow>(Isa::template shifted_and<kBelow - 2 * g, (3 << kBelow)>(second), w[g + 4]);
    if constexpr (g < 3) add_pairs<kBelow, g + 1>(first, second, w);
  }
  /// Moves bit g above kBelow others, and joins it to w[g].
  template <int kBelow, int g>
  static RUNG_INLINE void add_bits(Bytes plane, Bytes (&w)[kColumnGroups]) {
    put<kBelow>(Isa::template shifted_and<kBelow - g, (1 << kBelow)>(plane), w[g]);
    if constexpr (g + 1 < kColumnGroups) add_bits<kBelow, g + 1>(plane, w);
  }
  /// The lowest bits are the first that there are.
  template <int kBelow>
  static RUNG_INLINE void put(Bytes bits, Bytes& to) {
    if constexpr (kBelow == 0) {
      to = bits;
    } else {
      to = Isa::join(to, bits);
    }
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
    const std::byte* byte = stored + half * kPanelRows + part * Isa::kRows;
    // A fused -(d_min * m) * s and a rounded one are the same: d_min * m is exact.
    if constexpr (kFormat.scales == Scales::bytes) {
      static_assert(!kFormat.minimum || kFormat.halves == 1);
      scale = Isa::multiply(shared[0], Isa::load_small(byte));
      if constexpr (kFormat.minimum) {
        minimum = Isa::negate(Isa::multiply(shared[1], Isa::load_small(byte + kPanelRows)));
      }
    } else if constexpr (kFormat.scales == Scales::nibbles) {
      scale = Isa::multiply(shared[0], Isa::template load_nibbles<0>(byte));
      minimum = Isa::negate(Isa::multiply(shared[1], Isa::template load_nibbles<4>(byte)));
    } else if constexpr (kFormat.scales == Scales::powers) {
      scale = Isa::load_powers(byte);
    } else {
      scale = Isa::load_half(stored + part * Isa::kRows * 2);
      if constexpr (kFormat.minimum) minimum = Isa::load_half(stored + (kPanelRows + part * Isa::kRows) * 2);
    }
  }
};
