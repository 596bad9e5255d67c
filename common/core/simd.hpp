#pragma once
// Which vector instructions the kernels use: the best of this machine, or what RUNG_SIMD forces.
//
// Kernels are written once with Google Highway and compiled for AVX-512, AVX2 and plain portable code
// (what the compiler makes of it without any -m flag); Highway picks one at run time. The three may
// round differently from each other (their vectors sum in another order); within one level results
// are bitwise repeatable. On AArch64 there is one level, NEON, which every such processor has.

#include <string_view>

namespace rung {

enum class Simd { scalar, neon, avx2, avx512 };

/// The level in force. The first call reads RUNG_SIMD (avx512 | avx2 | neon | scalar) and tells Highway;
/// throws UsageError for an unknown value and Error for one that this machine lacks.
/// REQUIRES: called before the first Highway dispatch; every factory of a SIMD rung does so.
Simd simd_level();

std::string_view simd_name(Simd level);

}  // namespace rung
