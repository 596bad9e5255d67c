# rung_fuzz_targets(LIBRARY): the fuzz targets of a folder. common/testing/fuzz/README.md says how to run them.
#
#   fuzz_NAME_replay  the target over files; always built. With found/NAME it is the test fuzz.replay.NAME.
#   fuzz_NAME         the target with libFuzzer; only with RUNG_FUZZ. Two minutes of it are the test fuzz.NAME (slow).
function(rung_fuzz_targets library)
  file(GLOB targets CONFIGURE_DEPENDS fuzz_*.cpp)
  foreach(file ${targets})
    get_filename_component(target ${file} NAME_WE)
    string(REGEX REPLACE "^fuzz_" "" name ${target})
    set(found ${CMAKE_CURRENT_SOURCE_DIR}/found/${name})

    add_executable(${target}_replay ${file})
    target_link_libraries(${target}_replay PRIVATE fuzz_replay ${library})
    target_compile_definitions(${target}_replay PRIVATE RUNG_FUZZ_SOURCE="${PROJECT_SOURCE_DIR}")
    if(EXISTS ${found})
      rung_add_test(NAME fuzz.replay.${name} TARGET ${target}_replay LABELS common ARGS ${found})
    endif()

    if(RUNG_FUZZ)
      add_executable(${target} ${file})
      target_link_libraries(${target} PRIVATE ${library})
      target_link_options(${target} PRIVATE -fsanitize=fuzzer)
      target_compile_definitions(${target} PRIVATE RUNG_FUZZ_SOURCE="${PROJECT_SOURCE_DIR}")
      add_dependencies(fuzzers ${target})
      set(corpus ${PROJECT_BINARY_DIR}/fuzz/corpus/${name})
      set(seeds ${PROJECT_BINARY_DIR}/fuzz/seeds/${name})
      file(MAKE_DIRECTORY ${corpus} ${seeds})
      set(folders ${corpus} ${seeds})
      if(EXISTS ${found})
        list(APPEND folders ${found})
      endif()
      set(dictionary "")
      if(EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/${name}.dict)
        set(dictionary -dict=${CMAKE_CURRENT_SOURCE_DIR}/${name}.dict)
      endif()
      rung_add_test(NAME fuzz.${name} TARGET ${target} LABELS slow
                    ARGS -max_total_time=120 -timeout=10 -rss_limit_mb=2048 -malloc_limit_mb=256 -max_len=32768 ${dictionary}
                         ${folders})
    endif()
  endforeach()
endfunction()
