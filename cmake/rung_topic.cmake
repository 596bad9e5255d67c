# rung_topic(CHAPTER 3 NAME attention [SEAM attention] [SIMD_LEVELS] RUNGS naive.cpp flash.cpp [LIBRARIES Eigen3::Eigen])
#
# Declares a topic folder: one static library rung_<name> from the rungs, mine.cpp, trials.cpp and
# register.cpp, and, with RUNG_TESTS,
#   <name>            test.cpp (Catch2); with SIMD_LEVELS, for rungs with vector code, also as <name>.avx2, <name>.scalar
#   <name>.mine       the exercise: trials of rung `mine`; exit code 77 (skipped) while not started
#   <name>_bench      bench.cpp (Google Benchmark); built with the suite, run by hand
# with the labels chapter0N and exercise.
function(rung_topic)
  cmake_parse_arguments(T "SIMD_LEVELS" "CHAPTER;NAME;SEAM" "RUNGS;LIBRARIES" ${ARGN})
  set(levels "")
  if(T_SIMD_LEVELS)
    set(levels SIMD_LEVELS)
  endif()
  if(NOT T_SEAM)
    set(T_SEAM ${T_NAME})
  endif()
  set(library rung_${T_NAME})
  add_library(${library} STATIC ${T_RUNGS} mine.cpp trials.cpp register.cpp)
  add_library(rung::${T_NAME} ALIAS ${library})
  target_link_libraries(${library} PUBLIC rung::ops rung::seams rung::model rung::core PRIVATE ${T_LIBRARIES})
  set_property(GLOBAL APPEND PROPERTY RUNG_TOPICS ${T_NAME})
  rung_install_library(${library})
  if(NOT RUNG_TESTS)
    return()
  endif()

  set(label chapter0${T_CHAPTER})
  add_executable(${T_NAME}_test test.cpp)
  target_link_libraries(${T_NAME}_test PRIVATE ${library} rung::testing)
  rung_add_test(NAME ${T_NAME} TARGET ${T_NAME}_test LABELS ${label} ${levels})

  add_executable(${T_NAME}_exercise ${PROJECT_SOURCE_DIR}/common/testing/exercise_main.cpp)
  target_link_libraries(${T_NAME}_exercise PRIVATE ${library} rung::core)
  target_compile_definitions(${T_NAME}_exercise PRIVATE RUNG_TOPIC=${T_NAME} "RUNG_SEAM=\"${T_SEAM}\"")
  rung_add_test(NAME ${T_NAME}.mine TARGET ${T_NAME}_exercise LABELS ${label} exercise)

  if(RUNG_SANITIZE OR RUNG_FUZZ)
    return()  # nothing worth measuring
  endif()
  add_executable(${T_NAME}_bench bench.cpp)
  target_link_libraries(${T_NAME}_bench PRIVATE ${library} rung::testing benchmark::benchmark)
endfunction()

# rung_add_test(NAME n TARGET t LABELS ... [SIMD_LEVELS] [ARGS ...] [LEVEL_ARGS ...]): a CTest test whose exit code 77
# means skipped. With SIMD_LEVELS it also runs as n.avx2 and n.scalar with RUNG_SIMD set, and LEVEL_ARGS for these only.
function(rung_add_test)
  cmake_parse_arguments(A "SIMD_LEVELS" "NAME;TARGET" "LABELS;ARGS;LEVEL_ARGS" ${ARGN})
  set(levels default)
  if(A_SIMD_LEVELS)
    list(APPEND levels avx2 scalar)
  endif()
  foreach(level ${levels})
    set(name ${A_NAME})
    if(NOT level STREQUAL default)
      set(name ${A_NAME}.${level})
    endif()
    if(level STREQUAL default)
      add_test(NAME ${name} COMMAND ${A_TARGET} ${A_ARGS})
    else()
      add_test(NAME ${name} COMMAND ${A_TARGET} ${A_ARGS} ${A_LEVEL_ARGS})
    endif()
    set_tests_properties(${name} PROPERTIES LABELS "${A_LABELS}" SKIP_RETURN_CODE 77 TIMEOUT 1200)
    set_property(TEST ${name} PROPERTY ENVIRONMENT ${RUNG_TEST_ENVIRONMENT})
    if(NOT level STREQUAL default)
      set_property(TEST ${name} APPEND PROPERTY ENVIRONMENT "RUNG_SIMD=${level}")
    endif()
  endforeach()
endfunction()

# Every library is installed and exported under rung::.
function(rung_install_library target)
  string(REGEX REPLACE "^rung_" "" short ${target})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${short})
  install(TARGETS ${target} EXPORT rungTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
endfunction()
