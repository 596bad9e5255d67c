# Writes a source file with the commit of the source tree, so that measurements can name it. Runs in every build, and
# changes the file only if the commit has changed. Needs SOURCE and OUT.
cmake_minimum_required(VERSION 3.22)
find_program(git git)
set(commit "")
if(git AND EXISTS ${SOURCE}/.git)
  execute_process(COMMAND ${git} -c safe.directory=* -C ${SOURCE} describe --always --dirty=+ --abbrev=10 --exclude *
                  OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
endif()
file(CONFIGURE OUTPUT ${OUT} CONTENT "// Written by cmake/write_commit.cmake.
#include \"measure/machine_record.hpp\"

namespace rung {

const char* build_commit() { return \"@commit@\"; }

}  // namespace rung
" @ONLY)
