#include "core/simd.hpp"

#include <hwy/targets.h>

#include <cstdlib>
#include <string>

#include "core/error.hpp"

#if defined(__x86_64__)
#include <cpuid.h>
#endif
#if defined(__x86_64__) && defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace rung {
namespace {

#if defined(__x86_64__)
bool bit(unsigned word, int at) { return (word >> at & 1) != 0; }

// Bits of cpuid's leaf 7, Intel's Software Developer's Manual, volume 2.
DotInstructions of_processor() {
  DotInstructions has;
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0) return has;
  has.avx512_vnni = bit(c, 11);
  if (bit(d, 24)) {  // tiles
    has.amx_int8 = bit(d, 25);
    has.amx_bf16 = bit(d, 22);
  }
  if (__get_cpuid_count(7, 1, &a, &b, &c, &d) != 0) {
    has.avx_vnni = bit(a, 4);
    has.avx512_bf16 = bit(a, 5);
  }
  return has;
}
#endif

/// Asks Linux for permission to use tiles, for all threads of this process. Linux must save 8 KB more for
/// each thread that uses tiles, so a process needs its permission (Documentation/arch/x86/xstate.rst).
bool ask_for_tiles() {
#if defined(__x86_64__) && defined(__linux__)
  constexpr int kRequestPermission = 0x1023, kTileData = 18;  // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
#else
  return false;
#endif
}

// Highway numbers its targets so that better ones are smaller; anything up to AVX3 is AVX-512.
Simd best_of_machine() {
#if defined(HWY_ARCH_X86) && HWY_ARCH_X86
  const auto supported = hwy::SupportedTargets();
  if (supported & HWY_AVX3) {
    const DotInstructions has = of_processor();
    return has.amx_int8 && has.amx_bf16 && has.avx512_vnni && ask_for_tiles() ? Simd::amx : Simd::avx512;
  }
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
  if (name == "amx") {
    level = Simd::amx;
  } else if (name == "avx512") {
    level = Simd::avx512;
  } else if (name == "avx2") {
    level = Simd::avx2;
  } else if (name == "neon") {
    level = Simd::neon;
  } else if (name != "scalar") {
    fail_usage("RUNG_SIMD is '{}'; choose one of: amx, avx512, avx2, neon, scalar", name);
  }
  if ((best == Simd::neon) != (level == Simd::neon)) {
    fail("RUNG_SIMD is {}, but this machine has only {}; unset it", name, simd_name(best));
  }
  if (level > best) {
    fail("RUNG_SIMD is {}, but this machine's best level is {}; unset it or choose a lower level", name,
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

const DotInstructions& dot_instructions() {
  static const DotInstructions allowed = [] {
    DotInstructions has;
#if defined(__x86_64__)
    const Simd level = simd_level();
    has = of_processor();
    has.avx_vnni = has.avx_vnni && level >= Simd::avx2;
    has.avx512_vnni = has.avx512_vnni && level >= Simd::avx512;
    has.avx512_bf16 = has.avx512_bf16 && level >= Simd::avx512;
    has.amx_int8 = has.amx_int8 && level >= Simd::amx;
    has.amx_bf16 = has.amx_bf16 && level >= Simd::amx;
#endif
    return has;
  }();
  return allowed;
}

std::string_view simd_name(Simd level) {
  switch (level) {
    case Simd::amx:
      return "amx";
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
