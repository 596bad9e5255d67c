# RUNG_SANITIZE: what the tests need in their environment. Builds with RUNG_SANITIZE=address,undefined or thread.
#
# ThreadSanitizer does not see the barriers inside an OpenMP library and would report races that are none. Clang's
# libomp tells it about them through the tool Archer, which lies beside libomp. GCC's libgomp has no such tool.
# What follows silences the runtime only, never our own code.
set(RUNG_TEST_ENVIRONMENT "")
if(RUNG_SANITIZE MATCHES "thread")
  if(NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    message(FATAL_ERROR "RUNG_SANITIZE=thread needs Clang and libomp-dev (cmake --preset tsan): "
                        "with GCC's OpenMP library it reports races that are none")
  endif()
  execute_process(COMMAND ${CMAKE_CXX_COMPILER} -print-resource-dir OUTPUT_VARIABLE resources
                  OUTPUT_STRIP_TRAILING_WHITESPACE)
  find_file(RUNG_ARCHER libarcher.so PATHS ${resources}/../.. NO_DEFAULT_PATH)
  if(NOT RUNG_ARCHER)
    message(FATAL_ERROR "libarcher.so was not found beside Clang's libraries in ${resources}/../... "
                        "On Debian and Ubuntu: apt-get install libomp-dev")
  endif()
  set(RUNG_TEST_ENVIRONMENT "OMP_TOOL_LIBRARIES=${RUNG_ARCHER}"
                            "TSAN_OPTIONS=ignore_noninstrumented_modules=1:halt_on_error=1")
elseif(RUNG_SANITIZE MATCHES "undefined")
  set(RUNG_TEST_ENVIRONMENT
      "UBSAN_OPTIONS=print_stacktrace=1"
      "LSAN_OPTIONS=print_suppressions=0:suppressions='${PROJECT_SOURCE_DIR}/cmake/leaks_of_libraries.txt'")
endif()
# A sanitizer's own memory is in what the kernel counts as the program's: tests that measure memory skip there.
if(RUNG_SANITIZE)
  list(APPEND RUNG_TEST_ENVIRONMENT "RUNG_SANITIZE=${RUNG_SANITIZE}")
endif()
