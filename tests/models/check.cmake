# One model under spin, every state of it: the model as it stands must hold, a broken variant must be
# rejected. Run as
#   cmake -DMODEL=….pml [-DVARIANT=FLAG] -DWORK=folder [-DSPIN=…] [-DPAN_COMPILER=…] -P check.cmake
# Prints the number of states. A search that was cut short is no verdict and fails.

cmake_minimum_required(VERSION 3.25)

find_program(SPIN spin REQUIRED)
find_program(PAN_COMPILER cc REQUIRED)

set(depth_max 20000)
set(memory_mib_max 450)
cmake_path(GET MODEL FILENAME file)
cmake_path(GET MODEL STEM name)
set(flags "")
if(VARIANT)
  set(flags -D${VARIANT})
  string(APPEND name " ${VARIANT}")
endif()
file(REMOVE_RECURSE ${WORK})
file(MAKE_DIRECTORY ${WORK})

function(run)
  execute_process(COMMAND ${ARGN} WORKING_DIRECTORY ${WORK}
    RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE errors)
  set(said "${output}${errors}" PARENT_SCOPE)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${name}: '${ARGN}' failed (${status}): ${output}${errors}")
  endif()
endfunction()

run(${SPIN} ${flags} -a ${MODEL})
# SAFETY: no model has an LTL formula. No warnings: the code is spin's.
run(${PAN_COMPILER} -O2 -w -DSAFETY -DCOLLAPSE -DMEMLIM=${memory_mib_max} -o pan pan.c)
# The first error ends the search. -w: a hash table of 2^20 entries to begin with.
run(${WORK}/pan -n -w20 -m${depth_max})

string(REGEX MATCH "([0-9]+) states, stored" matched "${said}")
set(states "${CMAKE_MATCH_1}")
string(REGEX MATCH "errors: ([0-9]+)" matched "${said}")
set(found "${CMAKE_MATCH_1}")
if(said MATCHES "max search depth too small|out of memory|MEMLIM|hash table.*full" OR found STREQUAL ""
   OR states STREQUAL "")
  message(FATAL_ERROR "${name}: the search is not complete: ${said}")
endif()
if(VARIANT)
  if(found EQUAL 0)
    message(FATAL_ERROR "${name}: must be rejected, and all of its ${states} states are good")
  elseif(NOT said MATCHES "assertion violated[^\n]*")
    message(FATAL_ERROR "${name}: rejected for another reason than an assertion: ${said}")
  endif()
  message(STATUS "${name}: rejected after ${states} states: ${CMAKE_MATCH_0}")
else()
  if(NOT found EQUAL 0)
    execute_process(COMMAND ${SPIN} -t -p -g -k ${file}.trail ${MODEL} WORKING_DIRECTORY ${WORK})
    message(FATAL_ERROR "${name}: does not hold; the steps are above: ${said}")
  elseif(said MATCHES "Search not completed")
    message(FATAL_ERROR "${name}: the search is not complete: ${said}")
  endif()
  message(STATUS "${name}: holds in all of its ${states} states")
endif()
