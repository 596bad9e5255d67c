# Flags of every target, in one interface library: rung::flags.
#
# No -march=native: vector instructions are chosen at run time (core/simd.hpp). No -ffast-math: with it
# even std::isnan answers false.
add_library(rung_flags INTERFACE)
add_library(rung::flags ALIAS rung_flags)
target_compile_features(rung_flags INTERFACE cxx_std_20)

if(CMAKE_CXX_COMPILER_ID MATCHES "GNU|Clang")
  target_compile_options(rung_flags INTERFACE
    $<BUILD_INTERFACE:$<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra -Wpedantic $<$<BOOL:${RUNG_WERROR}>:-Werror>>>)
  # A product and a sum become one fused operation only where a kernel says so: otherwise the same
  # source rounds differently from one compiler to the next.
  target_compile_options(rung_flags INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-ffp-contract=off>)
endif()

# rung_optimize(TARGET LEVEL [PLAIN_WITH_SANITIZERS]): a lower level than Release's -O3 where there is no kernel. Level 2
# for the engine and the readers of files, 1 for tests and the command line, whose code is templates of libraries more than
# our own.
# PLAIN_WITH_SANITIZERS: not at all where a sanitizer's checks would make the optimizer slow.
function(rung_optimize target level)
  set_target_properties(${target} PROPERTIES RUNG_LEVEL "${level};${ARGN}")
  target_compile_options(${target} PRIVATE $<$<CONFIG:Release>:-O${level}>)
  if(RUNG_SANITIZE AND "PLAIN_WITH_SANITIZERS" IN_LIST ARGN)
    target_compile_options(${target} PRIVATE -O0)
  endif()
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # GCC 12 takes some std::string of its own library for overwritten (bug 105651).
    target_compile_options(${target} PRIVATE $<$<CONFIG:Release>:-Wno-array-bounds -Wno-restrict
                                                              -Wno-stringop-overflow -Wno-stringop-overread>)
  endif()
endfunction()

# rung_group_sources(TARGET): the compiler reads several sources of a target at a time, and so the headers that they share
# once. For code that is templates of libraries more than our own; a topic's files stay alone, to compile in a moment.
# Names in an anonymous namespace must differ within the target. RUNG_GROUP_SOURCES=OFF compiles every file alone.
function(rung_group_sources target)
  set_target_properties(${target} PROPERTIES UNITY_BUILD ${RUNG_GROUP_SOURCES} UNITY_BUILD_BATCH_SIZE ${RUNG_GROUP_SIZE})
endfunction()

# Of Highway's many targets we build three: AVX-512 (AVX3), AVX2 and the baseline (better ones have lower bits). This must be
# the same in every file that includes Highway.
# On AArch64 the baseline is NEON; SVE is left out, because its vectors have no size and fit into no array.
if(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
  target_compile_definitions(rung_flags INTERFACE
    "HWY_DISABLED_TARGETS=(HWY_SVE|HWY_SVE2|HWY_SVE_256|HWY_SVE2_128)")
else()
  target_compile_definitions(rung_flags INTERFACE
    "HWY_DISABLED_TARGETS=(HWY_SSSE3|HWY_SSE4|(HWY_AVX3-1))")
endif()

# fmt 9 believes that nvcc has no constexpr; with it, format strings are checked at compile time as everywhere.
target_compile_definitions(rung_flags INTERFACE $<$<COMPILE_LANGUAGE:CUDA>:FMT_USE_CONSTEXPR=1>)

if(RUNG_SANITIZE)
  target_compile_options(rung_flags INTERFACE
    $<$<COMPILE_LANGUAGE:CXX>:-fsanitize=${RUNG_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all>)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # Under sanitizers GCC 12 takes parts of the standard library (std::regex) for uninitialized.
    target_compile_options(rung_flags INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Wno-maybe-uninitialized>)
  endif()
  target_link_options(rung_flags INTERFACE -fsanitize=${RUNG_SANITIZE})
endif()

if(RUNG_FUZZ)
  if(NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    message(FATAL_ERROR "RUNG_FUZZ needs Clang, whose libFuzzer it uses (cmake --preset fuzz)")
  endif()
  target_compile_options(rung_flags INTERFACE -fsanitize=fuzzer-no-link,address,undefined -fno-omit-frame-pointer
                                              -fno-sanitize-recover=all -D_GLIBCXX_ASSERTIONS)
  target_link_options(rung_flags INTERFACE -fsanitize=address,undefined)
endif()
