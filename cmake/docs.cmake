# Target `docs`: the reference pages and the lessons as HTML in build/docs/html. A warning is an error; with
# RUNG_TESTS it is also the test house.docs. Without Doxygen there is neither.
find_package(Doxygen QUIET OPTIONAL_COMPONENTS dot)
if(NOT DOXYGEN_FOUND)
  return()
endif()
set(RUNG_DOXYGEN_DOT NO)
if(TARGET Doxygen::dot)
  set(RUNG_DOXYGEN_DOT YES)
endif()
file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/docs)
configure_file(docs/Doxyfile.in ${PROJECT_BINARY_DIR}/docs/Doxyfile @ONLY)
add_custom_target(docs COMMAND Doxygen::doxygen ${PROJECT_BINARY_DIR}/docs/Doxyfile VERBATIM
                  COMMENT "Writing the reference pages to ${PROJECT_BINARY_DIR}/docs/html")
if(RUNG_TESTS)
  add_test(NAME house.docs COMMAND Doxygen::doxygen ${PROJECT_BINARY_DIR}/docs/Doxyfile)
  rung_test_needs(house.docs)
  set_tests_properties(house.docs PROPERTIES LABELS common TIMEOUT 600)
endif()
