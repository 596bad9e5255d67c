#pragma once
// The SIMD level: the vector instructions that the kernels use. It is the best level of this machine, or the
// one that RUNG_SIMD forces.
//
// Kernels are written once with Google Highway and compiled for AVX-512, for AVX2, and for the compiler's
// default target. Highway chooses one of these versions at run time. The results of different levels may
// differ in rounding, because their vectors add in different orders. Within one level, results are bitwise
// repeatable. The level amx is avx512 plus Intel's matrix tiles, in kernels that multiply 8-bit or 16-bit
// numbers. On AArch64, the only level is NEON, which every AArch64 processor has.

#include <string_view>

namespace rung {

enum class Simd { scalar, neon, avx2, avx512, amx };

/// Returns the current SIMD level. The first call reads RUNG_SIMD (amx | avx512 | avx2 | neon | scalar) and
/// configures Highway. Throws UsageError for an unknown value, and Error for a level that this machine does
/// not have. REQUIRES: called before the first Highway dispatch; every factory of a SIMD rung calls it.
Simd simd_level();

std::string_view simd_name(Simd level);

/// The instructions for dot products of 8-bit and 16-bit numbers that the processor has and the current SIMD
/// level allows. The level alone does not determine them, because Intel added them one after the other.
struct DotInstructions {
  bool avx_vnni = false;     // bytes, 8 sums of 4 products
  bool avx512_vnni = false;  // bytes, 16 sums
  bool avx512_bf16 = false;  // bfloat16, 16 sums of 2 products
  bool amx_int8 = false;     // bytes, tiles of 16 x 64 times 64 x 16
  bool amx_bf16 = false;     // bfloat16, tiles of 16 x 32 times 32 x 16
};
const DotInstructions& dot_instructions();

}  // namespace rung
