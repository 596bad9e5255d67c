// AVX512_BF16: one instruction multiplies 16 rows' pairs and adds both products to the rows' sums.
// bf16_dot.cpp includes it.

struct Isa {
  static constexpr int kRows = 16;
  static constexpr int kTokens = 12;
  static constexpr int kPanels = 2, kPanelsForOne = 8;  // 24 of 32 registers hold sums
  static constexpr int kSteps = 1;

  using Floats = __m512;
  using Weights = __m512i;

  template <int kStep>
  static RUNG_INLINE Weights weights(const std::uint32_t* pairs) {
    return _mm512_loadu_si512(pairs);
  }
  static RUNG_INLINE Floats add(Weights w, const std::uint32_t* word, Floats sum) {
    const __m512i x = _mm512_set1_epi32(static_cast<int>(*word));
    return _mm512_dpbf16_ps(sum, reinterpret_cast<__m512bh>(w), reinterpret_cast<__m512bh>(x));
  }
  static RUNG_INLINE Floats zero() { return _mm512_setzero_ps(); }
  static RUNG_INLINE Floats load(const float* from) { return _mm512_loadu_ps(from); }
  static RUNG_INLINE void store(Floats a, float* to) { _mm512_storeu_ps(to, a); }
};
