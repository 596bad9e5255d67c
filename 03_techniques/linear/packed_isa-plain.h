// The instruction set "none": loops over the 16 rows of a panel, for any processor. packed_plain.cpp includes
// it.

struct Isa {
  static constexpr int kRows = 16;
  static constexpr int kTokens = 4;
  static constexpr bool kUnsignedBytes = false;

  struct Bytes {
    std::uint8_t lane[4 * kRows];
  };
  struct Floats {
    float lane[kRows];
  };
  struct Ints {
    std::int32_t lane[kRows];
  };

  template <class To, class Make>
  static RUNG_INLINE To each(const Make& make) {
    To to;
    for (std::size_t i = 0; i < std::size(to.lane); ++i) {
      to.lane[i] = static_cast<std::remove_reference_t<decltype(to.lane[0])>>(make(i));
    }
    return to;
  }

  static RUNG_INLINE Bytes load(const std::byte* from) {
    Bytes to;
    std::memcpy(to.lane, from, sizeof to.lane);
    return to;
  }
  static RUNG_INLINE Bytes as_stored_signed(Bytes a) { return a; }
  /// (a << kLeft) & mask, byte by byte; a negative kLeft shifts right.
  template <int kLeft, int kMask>
  static RUNG_INLINE Bytes shifted_and(Bytes a) {
    return each<Bytes>([&](std::size_t i) {
      const int byte = a.lane[i];
      if constexpr (kLeft >= 0) return (byte << kLeft) & kMask;
      if constexpr (kLeft < 0) return (byte >> -kLeft) & kMask;
    });
  }
  static RUNG_INLINE Bytes join(Bytes a, Bytes b) {
    return each<Bytes>([&](std::size_t i) { return a.lane[i] | b.lane[i]; });
  }
  static RUNG_INLINE Bytes look_up(const std::int8_t* table, Bytes index) {
    return each<Bytes>([&](std::size_t i) { return table[index.lane[i]]; });
  }

  /// start + the sum over 4 * n columns of w[row, column] * x[column].
  template <int n, int kLargest, bool kSigned>
  static RUNG_INLINE Ints dot(const Bytes (&w)[n], const std::int8_t* x, std::int32_t start) {
    Ints sum = each<Ints>([&](std::size_t) { return start; });
    for (int g = 0; g < n; ++g) {
      for (std::size_t r = 0; r < kRows; ++r) {
        for (std::size_t k = 0; k < 4; ++k) {
          const std::uint8_t byte = w[g].lane[4 * r + k];
          const int weight = kSigned ? static_cast<std::int8_t>(byte) : byte;
          sum.lane[r] += weight * x[4 * g + static_cast<int>(k)];
        }
      }
    }
    return sum;
  }

  static RUNG_INLINE Floats zero() { return {}; }
  static RUNG_INLINE Floats set(float a) {
    return each<Floats>([&](std::size_t) { return a; });
  }
  static RUNG_INLINE Floats to_floats(Ints a) {
    return each<Floats>([&](std::size_t i) { return static_cast<float>(a.lane[i]); });
  }
  static RUNG_INLINE Floats multiply(Floats a, Floats b) {
    return each<Floats>([&](std::size_t i) { return a.lane[i] * b.lane[i]; });
  }
  static RUNG_INLINE Floats multiply_add(Floats a, Floats b, Floats c) {
    return each<Floats>([&](std::size_t i) { return std::fma(a.lane[i], b.lane[i], c.lane[i]); });
  }
  static RUNG_INLINE Floats negate(Floats a) {
    return each<Floats>([&](std::size_t i) { return -a.lane[i]; });
  }
  /// kRows binary16 numbers.
  static RUNG_INLINE Floats load_half(const std::byte* from) {
    std::uint16_t halves[kRows];
    std::memcpy(halves, from, sizeof halves);
    return each<Floats>([&](std::size_t i) { return f16_to_f32(halves[i]); });
  }
  /// kRows small integers, one signed byte each (those of the K formats are below 64 where they are not
  /// signed).
  static RUNG_INLINE Floats load_small(const std::byte* from) {
    return each<Floats>([&](std::size_t i) { return static_cast<std::int8_t>(from[i]); });
  }
  /// The low (kShift 0) or the high halves (4) of kRows bytes.
  template <int kShift>
  static RUNG_INLINE Floats load_nibbles(const std::byte* from) {
    return each<Floats>([&](std::size_t i) { return (std::to_integer<int>(from[i]) >> kShift) & 15; });
  }
  /// 2^(byte - 128) for kRows bytes.
  static RUNG_INLINE Floats load_powers(const std::byte* from) {
    return each<Floats>(
        [&](std::size_t i) { return formats::mxfp4_scale(std::to_integer<std::uint8_t>(from[i])); });
  }
  static RUNG_INLINE void store(Floats a, float* to) { std::memcpy(to, a.lane, sizeof a.lane); }
};
