#include "core/simd.hpp"

#include <hwy/targets.h>

#include <cstdlib>
#include <string>

#include "core/error.hpp"

namespace rung {
namespace {

// Highway numbers its targets so that better ones are smaller; anything up to AVX3 is AVX-512.
Simd best_of_machine() {
#if defined(HWY_ARCH_X86) && HWY_ARCH_X86
  const auto supported = hwy::SupportedTargets();
  if (supported & HWY_AVX3) return Simd::avx512;
  if (supported & HWY_AVX2) return Simd::avx2;
#elif defined(HWY_ARCH_ARM_A64) && HWY_ARCH_ARM_A64
  return Simd::neon;  // every AArch64 processor has it, so it is the baseline there
#endif
  return Simd::scalar;
}

Simd choose() {
  const Simd best = best_of_machine();
  const char* forced = std::getenv("RUNG_SIMD");
  if (forced == nullptr || *forced == '\0') return best;
  const std::string name = forced;
  Simd level = Simd::scalar;
  if (name == "avx512") {
    level = Simd::avx512;
  } else if (name == "avx2") {
    level = Simd::avx2;
  } else if (name == "neon") {
    level = Simd::neon;
  } else if (name != "scalar") {
    fail_usage("RUNG_SIMD is '{}'; known: avx512, avx2, neon, scalar", name);
  }
  if ((best == Simd::neon) != (level == Simd::neon)) {
    fail("RUNG_SIMD asks for {}, but this machine has only {}; unset it", name, simd_name(best));
  }
  if (level > best) {
    fail("RUNG_SIMD asks for {}, but this machine's best is {}; unset it or choose a lower level", name,
         simd_name(best));
  }
#if defined(HWY_ARCH_X86) && HWY_ARCH_X86
  using Targets = decltype(hwy::SupportedTargets());
  constexpr Targets kAvx512 = HWY_AVX3 | (HWY_AVX3 - 1);  // AVX3 and everything above it
  if (level == Simd::avx2) hwy::DisableTargets(kAvx512);
  if (level == Simd::scalar) hwy::DisableTargets(kAvx512 | HWY_AVX2);
#endif
  return level;
}

}  // namespace

Simd simd_level() {
  static const Simd level = choose();
  return level;
}

std::string_view simd_name(Simd level) {
  switch (level) {
    case Simd::avx512:
      return "avx512";
    case Simd::avx2:
      return "avx2";
    case Simd::neon:
      return "neon";
    case Simd::scalar:
      break;
  }
  return "scalar";
}

}  // namespace rung
