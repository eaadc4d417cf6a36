# Messages of a released client, and recordings, stay readable: flatc refuses a schema that changed
# what an older one says. Run as `cmake -DFLATC=… -DRELEASED=… -DCURRENT=… -DWORK=… -P conform.cmake`. First shows that
# the comparison can fail, with a copy of the schema in which one field's type differs.

cmake_minimum_required(VERSION 3.25)

function(conform schema result)
  execute_process(COMMAND ${FLATC} --conform ${RELEASED} ${schema}
    RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE errors)
  set(${result} ${status} PARENT_SCOPE)
  set(said "${output}${errors}" PARENT_SCOPE)
endfunction()

file(READ ${CURRENT} text)
string(REGEX REPLACE "(seat|reason):uint8" "\\1:uint32" broken "${text}")
if(broken STREQUAL text)
  message(FATAL_ERROR "conform: the broken copy equals ${CURRENT}: break another field")
endif()
file(WRITE ${WORK}/broken.fbs "${broken}")
conform(${WORK}/broken.fbs status)
if(status EQUAL 0 OR NOT said MATCHES "conform")
  message(FATAL_ERROR "conform: flatc let a broken schema pass (${status}): ${said}")
endif()

conform(${CURRENT} status)
if(NOT status EQUAL 0)
  message(FATAL_ERROR "conform: ${CURRENT} breaks readers of ${RELEASED}: ${said}")
endif()
