// The instruction set "none": loops over the 16 rows of a panel, for any processor. bf16_dot.cpp includes it.

struct Isa {
  static constexpr int kRows = 16;
  static constexpr int kTokens = 2;
  static constexpr int kPanels = 1, kPanelsForOne = 1;
  static constexpr int kSteps = 2;

  struct Floats {
    float lane[kRows];
  };
  using Weights = Floats;

  /// The odd (step 0) or the even columns of 16 pairs, as float32.
  template <int kStep>
  static RUNG_INLINE Weights weights(const std::uint32_t* pairs) {
    Weights w;
    for (int r = 0; r < kRows; ++r) {
      w.lane[r] = std::bit_cast<float>(kStep == 0 ? pairs[r] & 0xffff0000u : pairs[r] << 16);
    }
    return w;
  }
  /// The product is exact, so rounding it before the addition changes nothing: this is a fused operation.
  static RUNG_INLINE Floats add(Weights w, const std::uint32_t* word, Floats sum) {
    const float x = std::bit_cast<float>(*word);
    for (int r = 0; r < kRows; ++r) sum.lane[r] += w.lane[r] * x;
    return sum;
  }
  static RUNG_INLINE Floats zero() { return {}; }
  static RUNG_INLINE Floats load(const float* from) {
    Floats to;
    std::memcpy(to.lane, from, sizeof to.lane);
    return to;
  }
  static RUNG_INLINE void store(Floats a, float* to) { std::memcpy(to, a.lane, sizeof a.lane); }
};
