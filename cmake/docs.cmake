# Target `docs`: the reference pages and the lessons as HTML in build/docs/html. A warning is an error; with
# RUNG_TESTS it is also the test house.docs. Without Doxygen or Python there is neither.
find_package(Doxygen QUIET OPTIONAL_COMPONENTS dot)
if(NOT DOXYGEN_FOUND OR NOT Python3_FOUND)
  return()
endif()
set(RUNG_DOXYGEN_DOT NO)
if(TARGET Doxygen::dot)
  set(RUNG_DOXYGEN_DOT YES)
endif()
file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/docs)
configure_file(docs/Doxyfile.in ${PROJECT_BINARY_DIR}/docs/Doxyfile @ONLY)
set(run_doxygen ${CMAKE_CURRENT_LIST_DIR}/run_doxygen.py $<TARGET_FILE:Doxygen::doxygen>
    ${PROJECT_BINARY_DIR}/docs/Doxyfile ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR}/docs)
add_custom_target(docs COMMAND Python3::Interpreter -B ${run_doxygen} VERBATIM
                  COMMENT "Writing the reference pages to ${PROJECT_BINARY_DIR}/docs/html")
if(RUNG_TESTS)
  add_test(NAME house.docs COMMAND Python3::Interpreter -B ${run_doxygen})
  rung_test_needs(house.docs)
  set_tests_properties(house.docs PROPERTIES LABELS common TIMEOUT 600)
endif()
