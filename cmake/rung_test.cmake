# Test programs, and the tests that run them.
#
# test.sh and .ci/run build what the chosen tests need and nothing else. What that is they read in
# BUILD/test_targets.txt, a line per test: its name, the targets to build, and the folder that it belongs to, with tabs
# between the three and spaces between targets.

# rung_test_program(NAME SOURCES...): a program of Catch2 tests.
function(rung_test_program name)
  add_executable(${name} ${ARGN})
  target_link_libraries(${name} PRIVATE rung::testing)
  rung_optimize(${name} 1 PLAIN_WITH_SANITIZERS)
  rung_precompile(${name} test)
endfunction()

# rung_test_needs(TEST [TARGET...]): the targets that must be built before the test runs.
function(rung_test_needs test)
  string(REPLACE ";" " " targets "${ARGN}")
  file(RELATIVE_PATH folder ${PROJECT_SOURCE_DIR} ${CMAKE_CURRENT_SOURCE_DIR})
  set_property(GLOBAL APPEND_STRING PROPERTY RUNG_TEST_TARGETS "${test}\t${targets}\t${folder}\n")
endfunction()

function(rung_write_test_targets)
  get_property(text GLOBAL PROPERTY RUNG_TEST_TARGETS)
  file(GENERATE OUTPUT ${PROJECT_BINARY_DIR}/test_targets.txt CONTENT "${text}")
endfunction()

# rung_add_test(NAME n TARGET t LABELS ... [SIMD_LEVELS] [ARGS ...] [LEVEL_ARGS ...] [COST SECONDS]): a CTest test whose
# exit code 77 means skipped. With SIMD_LEVELS it also runs as n.avx2 and n.scalar with RUNG_SIMD set, and LEVEL_ARGS for
# these only. COST, about how long it takes, lets CTest start the long ones first, so that none is left alone at the end.
function(rung_add_test)
  cmake_parse_arguments(A "SIMD_LEVELS" "NAME;TARGET;COST" "LABELS;ARGS;LEVEL_ARGS" ${ARGN})
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
    rung_test_needs(${name} ${A_TARGET})
    set_tests_properties(${name} PROPERTIES LABELS "${A_LABELS}" SKIP_RETURN_CODE 77 TIMEOUT 1200)
    set_property(TEST ${name} PROPERTY ENVIRONMENT ${RUNG_TEST_ENVIRONMENT})
    if(A_COST)
      set_property(TEST ${name} PROPERTY COST ${A_COST})
    endif()
    if(NOT level STREQUAL default)
      set_property(TEST ${name} APPEND PROPERTY ENVIRONMENT "RUNG_SIMD=${level}")
    endif()
  endforeach()
endfunction()

# rung_add_script_test(NAME n LABELS ... [NEEDS TARGET...] [TIMEOUT SECONDS] [COST SECONDS] COMMAND SCRIPT ARGS...): a
# test that is a Python script, standard library only.
function(rung_add_script_test)
  cmake_parse_arguments(A "" "NAME;TIMEOUT;COST" "LABELS;NEEDS;COMMAND" ${ARGN})
  if(NOT A_TIMEOUT)
    set(A_TIMEOUT 1200)
  endif()
  add_test(NAME ${A_NAME} COMMAND Python3::Interpreter -B ${A_COMMAND})
  rung_test_needs(${A_NAME} ${A_NEEDS})
  set_tests_properties(${A_NAME} PROPERTIES LABELS "${A_LABELS}" SKIP_RETURN_CODE 77 TIMEOUT ${A_TIMEOUT})
  set_property(TEST ${A_NAME} PROPERTY ENVIRONMENT ${RUNG_TEST_ENVIRONMENT} PYTHONUNBUFFERED=1)
  if(A_COST)
    set_property(TEST ${A_NAME} PROPERTY COST ${A_COST})
  endif()
endfunction()
