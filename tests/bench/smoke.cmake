# bench_smoke: runs `ringside-bench NAME --smoke` for every NAME of `ringside-bench list` and makes
# one page of them all. Run as `cmake -DBENCH=… -DWORK=… -P smoke.cmake`. Judges no time.

cmake_minimum_required(VERSION 3.25)
file(REMOVE_RECURSE ${WORK})
file(MAKE_DIRECTORY ${WORK})
execute_process(COMMAND ${BENCH} list OUTPUT_VARIABLE names COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "[^\n]+" names "${names}")
if(names STREQUAL "")
  message(FATAL_ERROR "bench_smoke: '${BENCH} list' names no benchmark")
endif()
set(files "")
set(failed "")
foreach(name IN LISTS names)
  execute_process(COMMAND ${BENCH} ${name} --smoke --json
    OUTPUT_FILE ${WORK}/${name}.json RESULT_VARIABLE result TIMEOUT 90)
  if(result STREQUAL "0")
    list(APPEND files ${WORK}/${name}.json)
  else()
    list(APPEND failed "${name} (${result})")
  endif()
endforeach()
if(files)
  execute_process(COMMAND ${BENCH} report --output ${WORK}/report.html ${files}
    COMMAND_ERROR_IS_FATAL ANY)
endif()
if(failed)
  message(FATAL_ERROR "bench_smoke: failed: ${failed}")
endif()
