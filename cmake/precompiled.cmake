# Headers that many files share, parsed once per build: rung_precompile(TARGET... HEADERS std|json|test).
#
#   std    the standard library and fmt
#   json   the same and nlohmann/json.hpp: for libraries most of whose files read or write JSON
#   test   the same as std and Catch2: for test programs
#
# The optimization level of a target may differ from that of the precompiled headers. Every file still includes what it
# uses: the preset tsan builds without precompiled headers and fails where a file does not.
set(std_headers <algorithm> <array> <cmath> <cstdint> <cstring> <filesystem> <functional> <map> <memory> <optional>
                <span> <string> <string_view> <vector> <fmt/core.h>)

# rung_add_precompiled(NAME LIBRARIES ... HEADERS ...): the target rung_pch_NAME, which others reuse.
function(rung_add_precompiled name)
  cmake_parse_arguments(P "" "" "LIBRARIES;HEADERS" ${ARGN})
  set(unit ${PROJECT_BINARY_DIR}/precompiled/${name}.cpp)
  file(CONFIGURE OUTPUT ${unit} CONTENT "// Only its precompiled headers matter.\n")
  add_library(rung_pch_${name} OBJECT EXCLUDE_FROM_ALL ${unit})
  target_link_libraries(rung_pch_${name} PRIVATE rung_flags fmt::fmt OpenMP::OpenMP_CXX PkgConfig::HWY ${P_LIBRARIES})
  target_precompile_headers(rung_pch_${name} PRIVATE ${std_headers} ${P_HEADERS})
endfunction()

rung_add_precompiled(std)
rung_add_precompiled(json LIBRARIES nlohmann_json::nlohmann_json HEADERS <nlohmann/json.hpp>)
if(RUNG_TESTS)
  if(Catch2_VERSION VERSION_LESS 3)
    rung_add_precompiled(test LIBRARIES Catch2::Catch2 HEADERS <catch2/catch.hpp>)
  else()
    rung_add_precompiled(test LIBRARIES Catch2::Catch2 HEADERS <catch2/catch_all.hpp>)
  endif()
endif()

function(rung_precompile)
  cmake_parse_arguments(P "" "HEADERS" "" ${ARGN})
  foreach(target ${P_UNPARSED_ARGUMENTS})
    target_precompile_headers(${target} REUSE_FROM rung_pch_${P_HEADERS})
  endforeach()
endfunction()
