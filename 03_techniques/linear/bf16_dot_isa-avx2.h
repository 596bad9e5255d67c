// AVX2, which has no bfloat16: a pair is two float32 numbers, one a mask away and one a shift. 8 rows of a
// panel per vector. bf16_dot.cpp includes it.

struct Isa {
  static constexpr int kRows = 8;
  static constexpr int kTokens = 6;  // 12 of 16 registers hold sums
  static constexpr int kPanels = 1, kPanelsForOne = 4;
  static constexpr int kSteps = 2;

  using Floats = __m256;
  using Weights = __m256;

  /// The odd (step 0) or the even columns of 8 pairs, as float32.
  template <int kStep>
  static RUNG_INLINE Weights weights(const std::uint32_t* pairs) {
    const __m256i both = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(pairs));
    if constexpr (kStep == 0) return _mm256_castsi256_ps(_mm256_and_si256(both, _mm256_set1_epi32(-65536)));
    return _mm256_castsi256_ps(_mm256_slli_epi32(both, 16));
  }
  static RUNG_INLINE Floats add(Weights w, const std::uint32_t* word, Floats sum) {
    return _mm256_fmadd_ps(w, _mm256_broadcast_ss(reinterpret_cast<const float*>(word)), sum);
  }
  static RUNG_INLINE Floats zero() { return _mm256_setzero_ps(); }
  static RUNG_INLINE Floats load(const float* from) { return _mm256_loadu_ps(from); }
  static RUNG_INLINE void store(Floats a, float* to) { _mm256_storeu_ps(to, a); }
};
