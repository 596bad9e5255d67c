// AVX-512 with VNNI: 16 rows of a panel per vector, and one instruction that multiplies four columns and adds
// them up in 32 bits. packed_vnni.cpp and packed_tiles.cpp include it.

struct Isa {
  static constexpr int kRows = 16;
  static constexpr int kTokens = 16;  // of 32 registers, 8 hold quants, 16 the sums
  static constexpr bool kUnsignedBytes = true;

  using Bytes = __m512i;
  using Floats = __m512;

  static RUNG_INLINE Bytes load(const std::byte* from) { return _mm512_loadu_si512(from); }
  /// Signed bytes plus 128: the instruction wants unsigned weights.
  static RUNG_INLINE Bytes as_stored_signed(Bytes a) { return _mm512_xor_si512(a, _mm512_set1_epi8(-128)); }
  /// (a << kLeft) & mask, byte by byte; a negative kLeft shifts right. There are only shifts of 16 bits: the
  /// mask must leave nothing that crossed from one byte to the other.
  template <int kLeft, int kMask>
  static RUNG_INLINE Bytes shifted_and(Bytes a) {
    if constexpr (kLeft > 0) a = _mm512_slli_epi16(a, kLeft);
    if constexpr (kLeft < 0) a = _mm512_srli_epi16(a, -kLeft);
    return _mm512_and_si512(a, _mm512_set1_epi8(kMask));
  }
  static RUNG_INLINE Bytes join(Bytes a, Bytes b) { return _mm512_or_si512(a, b); }
  static RUNG_INLINE Bytes look_up(const std::int8_t* table, Bytes index) {
    const __m128i sixteen = _mm_loadu_si128(reinterpret_cast<const __m128i*>(table));
    return _mm512_shuffle_epi8(_mm512_broadcast_i32x4(sixteen), index);
  }

  /// start + the sum over 4 * n columns of w[row, column] * x[column].
  template <int n, int kLargest, bool kSigned>
  static RUNG_INLINE __m512i dot(const Bytes (&w)[n], const std::int8_t* x, std::int32_t start) {
    __m512i sum = _mm512_set1_epi32(start);
    RUNG_UNROLL
    for (int g = 0; g < n; ++g) {
      std::int32_t four;
      std::memcpy(&four, x + 4 * g, sizeof four);
      sum = _mm512_dpbusd_epi32(sum, w[g], _mm512_set1_epi32(four));
    }
    return sum;
  }

  static RUNG_INLINE Floats zero() { return _mm512_setzero_ps(); }
  static RUNG_INLINE Floats set(float a) { return _mm512_set1_ps(a); }
  static RUNG_INLINE Floats to_floats(__m512i a) { return _mm512_cvtepi32_ps(a); }
  static RUNG_INLINE Floats multiply(Floats a, Floats b) { return _mm512_mul_ps(a, b); }
  static RUNG_INLINE Floats multiply_add(Floats a, Floats b, Floats c) { return _mm512_fmadd_ps(a, b, c); }
  static RUNG_INLINE Floats negate(Floats a) { return _mm512_xor_ps(a, _mm512_set1_ps(-0.0f)); }
  /// kRows binary16 numbers.
  static RUNG_INLINE Floats load_half(const std::byte* from) {
    return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)));
  }
  /// kRows small integers, one signed byte each (those of the K formats are below 64 where they are not
  /// signed).
  static RUNG_INLINE Floats load_small(const std::byte* from) {
    return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from))));
  }
  /// The low (kShift 0) or the high halves (4) of kRows bytes.
  template <int kShift>
  static RUNG_INLINE Floats load_nibbles(const std::byte* from) {
    const __m512i byte = _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
    return _mm512_cvtepi32_ps(_mm512_and_si512(_mm512_srli_epi32(byte, kShift), _mm512_set1_epi32(15)));
  }
  /// 2^(byte - 128) for kRows bytes: byte - 1 is the exponent of a float, except where that is subnormal.
  static RUNG_INLINE Floats load_powers(const std::byte* from) {
    const __m512i byte = _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
    const __m512i normal = _mm512_slli_epi32(_mm512_sub_epi32(byte, _mm512_set1_epi32(1)), 23);
    const __mmask16 is_subnormal = _mm512_cmplt_epi32_mask(byte, _mm512_set1_epi32(2));
    return _mm512_castsi512_ps(
        _mm512_mask_sllv_epi32(normal, is_subnormal, _mm512_set1_epi32(0x00200000), byte));
  }
  static RUNG_INLINE void store(Floats a, float* to) { _mm512_storeu_ps(to, a); }
};
