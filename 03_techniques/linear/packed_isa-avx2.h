// AVX2: 8 rows of a panel per vector. packed_avx2.cpp includes it.

struct Isa {
  static constexpr int kRows = 8;
  static constexpr int kTokens = 4;  // 8 registers hold quants, 4 the sums
  static constexpr bool kUnsignedBytes = false;

  using Bytes = __m256i;
  using Floats = __m256;

  static RUNG_INLINE Bytes load(const std::byte* from) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
  }
  static RUNG_INLINE Bytes as_stored_signed(Bytes a) { return a; }
  /// (a << kLeft) & mask, byte by byte; a negative kLeft shifts right. There are only shifts of 16 bits: the
  /// mask must leave nothing that crossed from one byte to the other.
  template <int kLeft, int kMask>
  static RUNG_INLINE Bytes shifted_and(Bytes a) {
    if constexpr (kLeft > 0) a = _mm256_slli_epi16(a, kLeft);
    if constexpr (kLeft < 0) a = _mm256_srli_epi16(a, -kLeft);
    return _mm256_and_si256(a, _mm256_set1_epi8(kMask));
  }
  static RUNG_INLINE Bytes join(Bytes a, Bytes b) { return _mm256_or_si256(a, b); }
  static RUNG_INLINE Bytes look_up(const std::int8_t* table, Bytes index) {
    const __m128i half = _mm_loadu_si128(reinterpret_cast<const __m128i*>(table));
    return _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(half), index);
  }

  /// start + the sum over 4 * n columns of w[row, column] * x[column]. The processor multiplies unsigned by
  /// signed bytes and adds two neighbors in 16 bits, saturated: as many of these are added as surely fit,
  /// then two neighbors again, in 32 bits.
  template <int n, int kLargest, bool kSigned>
  static RUNG_INLINE __m256i dot(const Bytes (&w)[n], const std::int8_t* x, std::int32_t start) {
    constexpr int kFit = 32767 / (2 * 127 * kLargest);
    static_assert(kFit >= 1);
    constexpr int kTogether = kFit >= n ? n : kFit >= 4 ? 4 : kFit >= 2 ? 2 : 1;
    static_assert(n % kTogether == 0);
    const __m256i ones = _mm256_set1_epi16(1);
    __m256i sum = _mm256_set1_epi32(start);
    RUNG_UNROLL
    for (int g = 0; g < n; g += kTogether) {
      __m256i pairs = two_columns<kSigned>(w[g], x + 4 * g);
      RUNG_UNROLL
      for (int i = 1; i < kTogether; ++i) {
        pairs = _mm256_add_epi16(pairs, two_columns<kSigned>(w[g + i], x + 4 * (g + i)));
      }
      sum = _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, ones));
    }
    return sum;
  }

  static RUNG_INLINE Floats zero() { return _mm256_setzero_ps(); }
  static RUNG_INLINE Floats set(float a) { return _mm256_set1_ps(a); }
  static RUNG_INLINE Floats to_floats(__m256i a) { return _mm256_cvtepi32_ps(a); }
  static RUNG_INLINE Floats multiply(Floats a, Floats b) { return _mm256_mul_ps(a, b); }
  static RUNG_INLINE Floats multiply_add(Floats a, Floats b, Floats c) { return _mm256_fmadd_ps(a, b, c); }
  static RUNG_INLINE Floats negate(Floats a) { return _mm256_xor_ps(a, _mm256_set1_ps(-0.0f)); }
  /// kRows binary16 numbers.
  static RUNG_INLINE Floats load_half(const std::byte* from) {
    return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
  }
  /// kRows small integers, one signed byte each (those of the K formats are below 64 where they are not
  /// signed).
  static RUNG_INLINE Floats load_small(const std::byte* from) {
    return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(from))));
  }
  /// The low (kShift 0) or the high halves (4) of kRows bytes.
  template <int kShift>
  static RUNG_INLINE Floats load_nibbles(const std::byte* from) {
    const __m256i byte = _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(from)));
    return _mm256_cvtepi32_ps(_mm256_and_si256(_mm256_srli_epi32(byte, kShift), _mm256_set1_epi32(15)));
  }
  /// 2^(byte - 128) for kRows bytes: byte - 1 is the exponent of a float, except where that is subnormal.
  static RUNG_INLINE Floats load_powers(const std::byte* from) {
    const __m256i byte = _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(from)));
    const __m256i normal = _mm256_slli_epi32(_mm256_sub_epi32(byte, _mm256_set1_epi32(1)), 23);
    const __m256i subnormal = _mm256_sllv_epi32(_mm256_set1_epi32(0x00200000), byte);
    const __m256i is_normal = _mm256_cmpgt_epi32(byte, _mm256_set1_epi32(1));
    return _mm256_castsi256_ps(_mm256_blendv_epi8(subnormal, normal, is_normal));
  }
  static RUNG_INLINE void store(Floats a, float* to) { _mm256_storeu_ps(to, a); }

 private:
  /// Four bytes of x for all rows; signed weights give their sign to x, because one factor must be unsigned.
  template <bool kSigned>
  static RUNG_INLINE __m256i two_columns(Bytes w, const std::int8_t* x) {
    std::int32_t four;
    std::memcpy(&four, x, sizeof four);
    const __m256i xs = _mm256_set1_epi32(four);
    if constexpr (kSigned) return _mm256_maddubs_epi16(_mm256_abs_epi8(w), _mm256_sign_epi8(xs, w));
    return _mm256_maddubs_epi16(w, xs);
  }
};
