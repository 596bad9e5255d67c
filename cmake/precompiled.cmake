# Headers that many files share, parsed once per build: rung_precompile(TARGET std|json|test).
#
#   std    the standard library and fmt
#   json   the same and nlohmann/json.hpp: for libraries most of whose files read or write JSON
#   test   the same as std and Catch2: for test programs
#
# Call it after rung_optimize. Every file still includes what it uses, for those who build without precompiled headers.
set(rung_headers_std <algorithm> <array> <cmath> <cstdint> <cstring> <filesystem> <functional> <map> <memory> <optional>
                     <span> <string> <string_view> <vector> <fmt/core.h>)
set(rung_headers_json ${rung_headers_std} <nlohmann/json.hpp>)
set(rung_headers_test ${rung_headers_std} <catch2/catch_all.hpp>)
if(Catch2_VERSION VERSION_LESS 3)
  set(rung_headers_test ${rung_headers_std} <catch2/catch.hpp>)
endif()
set(rung_header_libraries_std "")
set(rung_header_libraries_json nlohmann_json::nlohmann_json)
set(rung_header_libraries_test Catch2::Catch2)
file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/precompiled.cpp CONTENT "// Only its precompiled headers matter.\n")

# GCC crashes over headers that were precompiled with less optimization than the file that uses them, and Clang refuses
# those precompiled with optimization for a file without: so there is one set of headers for each level.
function(rung_precompile target kind)
  get_target_property(level ${target} RUNG_LEVEL)
  if(NOT level)
    set(level 3)
  endif()
  string(MAKE_C_IDENTIFIER "rung_headers_${kind}_${level}" name)
  if(NOT TARGET ${name})
    add_library(${name} OBJECT EXCLUDE_FROM_ALL ${PROJECT_BINARY_DIR}/precompiled.cpp)
    target_link_libraries(${name} PRIVATE rung_flags fmt::fmt OpenMP::OpenMP_CXX PkgConfig::HWY
                                          ${rung_header_libraries_${kind}})
    target_precompile_headers(${name} PRIVATE ${rung_headers_${kind}})
    if(NOT level STREQUAL 3)
      rung_optimize(${name} ${level})
    endif()
  endif()
  target_precompile_headers(${target} REUSE_FROM ${name})
endfunction()

# What ccache needs to know precompiled headers again.
if(CMAKE_CXX_COMPILER_LAUNCHER MATCHES "ccache")
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_compile_options(rung_flags INTERFACE $<BUILD_INTERFACE:$<$<COMPILE_LANGUAGE:CXX>:-fpch-preprocess>>)
  else()
    target_compile_options(rung_flags INTERFACE
      "$<BUILD_INTERFACE:$<$<COMPILE_LANGUAGE:CXX>:SHELL:-Xclang -fno-pch-timestamp>>")
  endif()
endif()
