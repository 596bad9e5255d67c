#pragma once
// Which vector instructions the kernels use: the best of this machine, or what RUNG_SIMD forces.
//
// Kernels are written once with Google Highway and compiled for AVX-512, AVX2 and plain portable code
// (what the compiler makes of it without any -m flag); Highway picks one at run time. The three may
// round differently from each other (their vectors sum in another order); within one level results
// are bitwise repeatable. The level amx is avx512 and, in kernels that multiply short numbers, Intel's matrix
// tiles. On AArch64 there is one level, NEON, which every such processor has.

#include <string_view>

namespace rung {

enum class Simd { scalar, neon, avx2, avx512, amx };

/// The level in force. The first call reads RUNG_SIMD (amx | avx512 | avx2 | neon | scalar) and tells
/// Highway; throws UsageError for an unknown value and Error for one that this machine lacks. REQUIRES:
/// called before the first Highway dispatch; every factory of a SIMD rung does so.
Simd simd_level();

std::string_view simd_name(Simd level);

/// Instructions that multiply short numbers and add the products up, as far as the level in force allows
/// them. Intel added them one by one, so a level alone does not tell.
struct DotInstructions {
  bool avx_vnni = false;     // bytes, 8 sums of 4 products
  bool avx512_vnni = false;  // bytes, 16 sums
  bool avx512_bf16 = false;  // bfloat16, 16 sums of 2 products
  bool amx_int8 = false;     // bytes, tiles of 16 x 64 times 64 x 16
  bool amx_bf16 = false;     // bfloat16, tiles of 16 x 32 times 32 x 16
};
const DotInstructions& dot_instructions();

}  // namespace rung
