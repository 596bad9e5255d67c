# rung_topic(CHAPTER 3 NAME attention [SEAM attention] [SIMD_LEVELS] [COST 40] [LONG] [STEPS 4] RUNGS naive.cpp flash.cpp [LIBRARIES Eigen3::Eigen])
#
# Declares a topic folder: one static library rung_<name> from the rungs, mine.cpp, trials.cpp and
# register.cpp, and, with RUNG_TESTS,
#   <name>            test.cpp (Catch2); with SIMD_LEVELS, for rungs with vector code, also as <name>.avx2, <name>.scalar
#   <name>.long       with LONG: those test cases of test.cpp that are tagged [.long], sweeps that take seconds. Whoever
#                     edits a rung runs <name> again and again; it should take less than ten seconds
#   <name>.mine       the exercise: all steps of rung `mine`; exit code 77 (skipped) while something is not started
#   <name>.mine.N     with STEPS, the number of graded steps (register.cpp has them): step N alone
#   <name>_bench      bench.cpp (Google Benchmark); built with the suite, run by hand
# with the labels chapter0N and exercise.
function(rung_topic)
  cmake_parse_arguments(T "SIMD_LEVELS;LONG" "CHAPTER;NAME;SEAM;COST;STEPS" "RUNGS;LIBRARIES" ${ARGN})
  set(levels "")
  set(cost "")
  if(T_COST)
    set(cost COST ${T_COST})
  endif()
  if(T_SIMD_LEVELS)
    set(levels SIMD_LEVELS)
  endif()
  if(NOT T_SEAM)
    set(T_SEAM ${T_NAME})
  endif()
  set(library rung_${T_NAME})
  add_library(${library} STATIC ${T_RUNGS} mine.cpp trials.cpp register.cpp)
  add_library(rung::${T_NAME} ALIAS ${library})
  target_link_libraries(${library} PUBLIC rung::loop rung::devices rung::ops rung::seams rung::convert rung::core PRIVATE ${T_LIBRARIES})
  rung_precompile(${library} std)
  # A learner's warnings are told; they do not stop the build.
  set_property(SOURCE mine.cpp APPEND PROPERTY COMPILE_OPTIONS $<$<BOOL:${RUNG_WERROR}>:-Wno-error>)
  rung_install_library(${library})
  set_property(GLOBAL APPEND PROPERTY RUNG_TOPICS ${library})
  if(NOT RUNG_TESTS)
    return()
  endif()

  set(label chapter0${T_CHAPTER})
  rung_test_program(${T_NAME}_test test.cpp)
  target_link_libraries(${T_NAME}_test PRIVATE ${library})
  rung_add_test(NAME ${T_NAME} TARGET ${T_NAME}_test LABELS ${label} ${levels} ${cost})
  if(T_LONG)
    rung_add_test(NAME ${T_NAME}.long TARGET ${T_NAME}_test LABELS ${label} ${levels} ${cost} ARGS "[.long]")
  endif()

  # The judge takes `mine` from the library. The answers of cmake/exercises stand before the library in the link,
  # which then leaves its mine.cpp out.
  add_library(${T_NAME}_judge OBJECT ${PROJECT_SOURCE_DIR}/common/testing/exercise_main.cpp)
  target_link_libraries(${T_NAME}_judge PRIVATE rung::core nlohmann_json::nlohmann_json)
  target_compile_definitions(${T_NAME}_judge PRIVATE RUNG_TOPIC=${T_NAME} "RUNG_SEAM=\"${T_SEAM}\""
                             "RUNG_TOPIC_NAME=\"${T_NAME}\"" "RUNG_SOURCE_DIR=\"${PROJECT_SOURCE_DIR}\"")
  rung_optimize(${T_NAME}_judge 1)
  add_executable(${T_NAME}_exercise)
  target_link_libraries(${T_NAME}_exercise PRIVATE ${T_NAME}_judge ${library})
  rung_add_test(NAME ${T_NAME}.mine TARGET ${T_NAME}_exercise LABELS ${label} exercise)
  set(partial "")
  if(T_STEPS)
    foreach(step RANGE 1 ${T_STEPS})
      rung_add_test(NAME ${T_NAME}.mine.${step} TARGET ${T_NAME}_exercise LABELS ${label} exercise ARGS --step ${step})
    endforeach()
    # An answer to the first N steps only, for every step but the last.
    math(EXPR before_last "${T_STEPS} - 1")
    foreach(step RANGE 1 ${before_last})
      list(APPEND partial step${step})
    endforeach()
  endif()
  foreach(answer stub ${partial} solution wrong correct)
    if(answer STREQUAL correct AND NOT EXISTS ${PROJECT_SOURCE_DIR}/cmake/exercises/${T_NAME}/correct.cpp)
      continue()  # a ladder without goals has no answer that is correct and not good
    endif()
    add_executable(${T_NAME}_${answer} EXCLUDE_FROM_ALL ${PROJECT_SOURCE_DIR}/cmake/exercises/${T_NAME}/${answer}.cpp)
    target_include_directories(${T_NAME}_${answer} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
    target_link_libraries(${T_NAME}_${answer} PRIVATE ${T_NAME}_judge ${library})
    rung_precompile(${T_NAME}_${answer} std)
    set_property(GLOBAL APPEND PROPERTY RUNG_ANSWERS ${T_NAME}_${answer})
  endforeach()

  if(RUNG_SANITIZE OR RUNG_FUZZ)
    return()  # nothing worth measuring
  endif()
  add_executable(${T_NAME}_bench bench.cpp)
  target_link_libraries(${T_NAME}_bench PRIVATE ${library} rung::testing benchmark::benchmark)
  rung_optimize(${T_NAME}_bench 1)
endfunction()

# Every library is installed and exported under rung::.
function(rung_install_library target)
  string(REGEX REPLACE "^rung_" "" short ${target})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${short})
  install(TARGETS ${target} EXPORT rungTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
  set_property(GLOBAL APPEND PROPERTY RUNG_INSTALLED ${target})
endfunction()

# rung_topics(): every folder of a chapter that has a CMakeLists.txt, so that a new topic is a new folder.
function(rung_topics)
  file(GLOB lists CONFIGURE_DEPENDS */CMakeLists.txt)
  foreach(list ${lists})
    get_filename_component(folder ${list} DIRECTORY)
    add_subdirectory(${folder})
  endforeach()
endfunction()
