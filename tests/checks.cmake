# The checks of the source tree that are not C++: what each guards stands in its script.
add_test(NAME layering
  COMMAND ${CMAKE_COMMAND} -DROOT=${CMAKE_SOURCE_DIR} -P ${CMAKE_SOURCE_DIR}/tests/layering.cmake)
add_test(NAME layering_self_test
  COMMAND ${CMAKE_COMMAND} -DWORK=${CMAKE_BINARY_DIR}/layering_self_test
          -P ${CMAKE_SOURCE_DIR}/tests/layering_self_test.cmake)
add_test(NAME wire_conform
  COMMAND ${CMAKE_COMMAND} -DFLATC=${FLATC} -DRELEASED=${CMAKE_SOURCE_DIR}/tests/core/wire_v1.fbs
          -DCURRENT=${CMAKE_SOURCE_DIR}/core/schema/wire.fbs -DWORK=${CMAKE_BINARY_DIR}/wire_conform
          -P ${CMAKE_SOURCE_DIR}/tests/conform.cmake)
set_tests_properties(layering layering_self_test wire_conform PROPERTIES TIMEOUT 60)
