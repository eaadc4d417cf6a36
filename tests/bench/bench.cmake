# ringside-bench: one program, one source a benchmark. bazel-free-scripts/bench runs it.
add_executable(ringside-bench
  # what benchmarks are made of
  tests/bench/bare_processes.cpp tests/bench/bench.cpp tests/bench/bench_json.cpp
  tests/bench/bench_main.cpp tests/bench/bench_table.cpp tests/bench/benches.cpp
  tests/bench/burner.cpp tests/bench/chart_svg.cpp tests/bench/contest.cpp tests/bench/crowd.cpp
  tests/bench/host_watch.cpp
  tests/bench/loaded.cpp tests/bench/local_games.cpp tests/bench/node_rival.cpp tests/bench/parked_games.cpp
  tests/bench/pinned_roles.cpp tests/bench/placed.cpp tests/bench/population.cpp tests/bench/race_bytes.cpp tests/bench/report_html.cpp
  tests/bench/rivals/epoll_broadcast.cpp tests/bench/rivals/epoll_echo.cpp tests/bench/run_facts.cpp tests/bench/served.cpp
  tests/bench/tron_population.cpp tests/bench/wake_ways.cpp
  # the benchmarks
  tests/bench/broadcast.cpp tests/bench/bytes.cpp tests/bench/density.cpp
  tests/bench/front.cpp tests/bench/fronts.cpp tests/bench/host.cpp tests/bench/latency.cpp tests/bench/probes.cpp
  tests/bench/rings.cpp tests/bench/seed_table.cpp tests/bench/snapshots.cpp
  tests/bench/spawn.cpp tests/bench/wake.cpp)
target_compile_definitions(ringside-bench PRIVATE
  RINGSIDE_PROGRAM="$<TARGET_FILE:ringside>"
  RINGSIDE_RIVALS="${CMAKE_SOURCE_DIR}/tests/bench/rivals")
add_dependencies(ringside-bench ringside)
target_include_directories(ringside-bench PRIVATE
  ${CMAKE_SOURCE_DIR} ${CMAKE_SOURCE_DIR}/tests/bench)
target_link_libraries(ringside-bench PRIVATE
  ringside_load ringside_net ringside_relay ringside_tron ringside_flags
  Boost::headers PkgConfig::liburing CLI11::CLI11 fmt::fmt nlohmann_json::nlohmann_json)

# Every benchmark of the program's own list runs, and what it stores makes a page: that of a new one
# is a line in benches.cpp.
add_test(NAME bench_smoke
  COMMAND ${CMAKE_COMMAND} -DBENCH=$<TARGET_FILE:ringside-bench>
          -DWORK=${CMAKE_BINARY_DIR}/bench_smoke -P ${CMAKE_SOURCE_DIR}/tests/bench/smoke.cmake)
set_tests_properties(bench_smoke PROPERTIES TIMEOUT 600)
