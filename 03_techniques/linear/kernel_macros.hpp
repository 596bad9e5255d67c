#pragma once
// For kernels that are compiled once per instruction set.

#define RUNG_INLINE inline __attribute__((always_inline))

// Small arrays live in registers only where every index is a constant: the loops over them must be unrolled.
#ifdef __clang__
#define RUNG_UNROLL _Pragma("unroll")
#else
#define RUNG_UNROLL _Pragma("GCC unroll 16")
#endif
