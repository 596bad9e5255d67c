// The kernels of `packed` with AVX-512 and VNNI.

#include <hwy/base.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/dtype_codebook.hpp"
#include "kernel_macros.hpp"
#include "packed.hpp"

#if defined(__x86_64__)
#include <immintrin.h>

namespace rung::linear {
namespace {
HWY_PUSH_ATTRIBUTES("avx2,fma,f16c,avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")
#include "packed_isa-vnni.h"
#include "packed_kernels-inl.h"
HWY_POP_ATTRIBUTES
}  // namespace

const PackedKernels* packed_vnni() { return &kKernels; }

}  // namespace rung::linear
#else
namespace rung::linear {
const PackedKernels* packed_vnni() { return nullptr; }
}  // namespace rung::linear
#endif
