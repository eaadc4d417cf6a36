# The checks of the source tree that are not C++: what each guards stands in its script.
add_test(NAME layering
  COMMAND ${CMAKE_COMMAND} -DROOT=${CMAKE_SOURCE_DIR} -P ${CMAKE_SOURCE_DIR}/tests/layering.cmake)
add_test(NAME layering_self_test
  COMMAND ${CMAKE_COMMAND} -DWORK=${CMAKE_BINARY_DIR}/layering_self_test
          -P ${CMAKE_SOURCE_DIR}/tests/layering_self_test.cmake)
foreach(schema wire recording)
  add_test(NAME ${schema}_conform
    COMMAND ${CMAKE_COMMAND} -DFLATC=${FLATC} -DWORK=${CMAKE_BINARY_DIR}/${schema}_conform
            -DRELEASED=${CMAKE_SOURCE_DIR}/tests/core/${schema}_v1.fbs
            -DCURRENT=${CMAKE_SOURCE_DIR}/core/schema/${schema}.fbs
            -P ${CMAKE_SOURCE_DIR}/tests/conform.cmake)
endforeach()
set_tests_properties(layering layering_self_test wire_conform recording_conform
  PROPERTIES TIMEOUT 60)
