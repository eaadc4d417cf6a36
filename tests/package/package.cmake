# What is installed, as Debian's own tools see it.
if(NOT RINGSIDE_SANITIZE)
  add_test(NAME package_units COMMAND bash ${CMAKE_CURRENT_LIST_DIR}/units.bash ${CMAKE_BINARY_DIR})
  add_test(NAME package COMMAND bash ${CMAKE_CURRENT_LIST_DIR}/package.bash ${CMAKE_BINARY_DIR})
  set_tests_properties(package PROPERTIES LABELS slow TIMEOUT 600)
endif()
