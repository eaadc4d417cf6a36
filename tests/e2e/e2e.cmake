# End to end: the real program, run as its users run it, in processes of its own.
add_library(ringside_e2e STATIC tests/e2e/host_facts.cpp tests/e2e/player.cpp tests/e2e/program.cpp tests/e2e/served_host.cpp
                                tests/e2e/tmux.cpp tests/ipc/process_watch.cpp)
target_include_directories(ringside_e2e PUBLIC ${CMAKE_SOURCE_DIR})
target_compile_definitions(ringside_e2e PUBLIC RINGSIDE_PROGRAM="$<TARGET_FILE:ringside>")
target_link_libraries(ringside_e2e
  PUBLIC ringside_net ringside_tron Catch2::Catch2
  PRIVATE ringside_flags nlohmann_json::nlohmann_json)
add_dependencies(ringside_e2e ringside)

# ringside_e2e_test(<name> [LABELS slow]): e2e_<name>_test, of tests/e2e/<name>_test.cpp
function(ringside_e2e_test name)
  cmake_parse_arguments(ARG "" "" "LABELS" ${ARGN})
  ringside_test(e2e_${name}_test
    SOURCES tests/e2e/${name}_test.cpp
    USES e2e LABELS e2e ${ARG_LABELS})
endfunction()

ringside_e2e_test(replay)
target_compile_definitions(e2e_replay_test PRIVATE
  RINGSIDE_TRACES_OWN="${CMAKE_SOURCE_DIR}/tests/games/traces"
  RINGSIDE_TRACES_SHARED="${RINGSIDE_TRACES_SHARED}")
ringside_e2e_test(probes)
target_compile_definitions(e2e_probes_test PRIVATE RINGSIDE_SOURCE="${CMAKE_SOURCE_DIR}")
ringside_e2e_test(inside)
target_link_libraries(e2e_inside_test PRIVATE fmt::fmt nlohmann_json::nlohmann_json)
ringside_e2e_test(tracers)
target_link_libraries(e2e_tracers_test PRIVATE nlohmann_json::nlohmann_json)
target_compile_definitions(e2e_tracers_test PRIVATE
  RINGSIDE_SOURCE="${CMAKE_SOURCE_DIR}" RINGSIDE_LOAD="$<TARGET_FILE:ringside-load>"
  RINGSIDE_BIN="$<TARGET_FILE_DIR:ringside>")
add_dependencies(e2e_tracers_test ringside-load)
ringside_e2e_test(record)
ringside_e2e_test(serve)
target_compile_definitions(e2e_serve_test PRIVATE RINGSIDE_WEB=$<BOOL:${RINGSIDE_WEB}>)
ringside_e2e_test(matches)
ringside_e2e_test(crash)
if(NOT RINGSIDE_SANITIZE)  # a sanitizer gives up when a call of its own fails
  ringside_e2e_test(exhaustion)
endif()
ringside_e2e_test(torture LABELS slow)
target_link_libraries(e2e_torture_test PRIVATE nlohmann_json::nlohmann_json)
ringside_e2e_test(tmux)
ringside_e2e_test(upgrade)
ringside_e2e_test(operator)
target_link_libraries(e2e_operator_test PRIVATE fmt::fmt nlohmann_json::nlohmann_json)
ringside_e2e_test(stat)
target_link_libraries(e2e_stat_test PRIVATE nlohmann_json::nlohmann_json)
ringside_e2e_test(metrics)
target_link_libraries(e2e_metrics_test PRIVATE nlohmann_json::nlohmann_json)
target_compile_definitions(e2e_metrics_test PRIVATE
  RINGSIDE_DASHBOARD="${CMAKE_SOURCE_DIR}/docs/grafana.json")
ringside_e2e_test(top)
ringside_e2e_test(load)
target_compile_definitions(e2e_load_test PRIVATE RINGSIDE_LOAD="$<TARGET_FILE:ringside-load>")
add_dependencies(e2e_load_test ringside-load)
ringside_e2e_test(doctor)
target_link_libraries(e2e_doctor_test PRIVATE ringside_program nlohmann_json::nlohmann_json)
ringside_e2e_test(config)
target_link_libraries(e2e_config_test PRIVATE ringside_program)
ringside_e2e_test(service)
ringside_e2e_test(low_latency)
target_link_libraries(e2e_low_latency_test PRIVATE ringside_program fmt::fmt)
