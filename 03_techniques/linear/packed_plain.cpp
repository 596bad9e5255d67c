// The kernels of `packed` without vector instructions, for any processor.

#include <hwy/base.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/dtype_codebook.hpp"
#include "kernel_macros.hpp"
#include "packed.hpp"

namespace rung::linear {
namespace {
#include "packed_isa-plain.h"
#include "packed_kernels-inl.h"
}  // namespace

const PackedKernels& packed_plain() { return kKernels; }

}  // namespace rung::linear
