# Protocol models under spin. ringside_model(<name> <variant>…): one test of the model as it stands,
# and one of each broken variant, which spin must reject. They check no C++, so the builds with a
# sanitizer leave them out.
find_program(SPIN spin REQUIRED)
find_program(PAN_COMPILER cc REQUIRED)  # spin writes C; the project itself has none

function(ringside_model name)
  foreach(variant IN ITEMS "" LISTS ARGN)
    string(TOLOWER "model_${name}_${variant}" test)
    string(REGEX REPLACE "_$" "" test ${test})
    add_test(NAME ${test}
      COMMAND ${CMAKE_COMMAND} -DMODEL=${CMAKE_SOURCE_DIR}/tests/models/${name}.pml
              -DVARIANT=${variant} -DWORK=${CMAKE_BINARY_DIR}/models/${test}
              -DSPIN=${SPIN} -DPAN_COMPILER=${PAN_COMPILER}
              -P ${CMAKE_SOURCE_DIR}/tests/models/check.cmake)
    set_tests_properties(${test} PROPERTIES TIMEOUT 120)
  endforeach()
endfunction()

if(NOT RINGSIDE_SANITIZE)
  ringside_model(doorbell WITHOUT_FENCE RINGER_LOADS WITHOUT_RECHECK WAKE_IF_ANNOUNCED)
  ringside_model(restart
    RELEASE_BEFORE_SNAPSHOT RELEASE_LATE WITHOUT_MARKS WITHOUT_EPOCH_CHECK WITHOUT_RESUME_ORDER
    EPOCHS_AFTER_DRAIN EPOCHS_DIFFER)
  ringside_model(names
    LOOKUP_BY_FRONT WITHOUT_EPOCH_CHECK WITHOUT_ASK_AGAIN WITHOUT_EARLY_EXITS LISTED_AGAIN)
endif()
