# ringside_fuzz(<name> SOURCES ... USES folders CORPUS folder): one fuzz target, a program that
# defines LLVMFuzzerTestOneInput. With -DRINGSIDE_FUZZ=ON (clang; bazel-free-scripts/fuzz) it is
# libFuzzer's. Otherwise it gets smoke_main.cpp, and a CTest of its name replays the corpus and
# random mutations of it.
function(ringside_fuzz name)
  cmake_parse_arguments(ARG "" "CORPUS" "SOURCES;USES;SCHEMAS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  list(TRANSFORM ARG_USES PREPEND ringside_)
  list(TRANSFORM ARG_SCHEMAS PREPEND ringside_schema_)
  target_link_libraries(${name} PRIVATE ringside_flags ${ARG_USES} ${ARG_SCHEMAS})
  if(RINGSIDE_FUZZ)
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  else()
    target_sources(${name} PRIVATE tests/fuzz/smoke_main.cpp)
    add_test(NAME ${name} COMMAND ${name} ${CMAKE_SOURCE_DIR}/${ARG_CORPUS})
    set_tests_properties(${name} PROPERTIES TIMEOUT 300)
  endif()
endfunction()
