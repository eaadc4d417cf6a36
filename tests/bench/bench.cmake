# ringside-bench: one program, one source a benchmark. bazel-free-scripts/bench runs it.
add_executable(ringside-bench
  tests/bench/bench.cpp tests/bench/bench_json.cpp tests/bench/bench_main.cpp
  tests/bench/bench_table.cpp tests/bench/benches.cpp tests/bench/chart_svg.cpp
  tests/bench/contest.cpp tests/bench/pinned_roles.cpp tests/bench/report_html.cpp
  tests/bench/rings_bench.cpp tests/bench/run_facts.cpp tests/bench/snapshots_bench.cpp
  tests/bench/wake_bench.cpp tests/bench/wake_ways.cpp)
target_include_directories(ringside-bench PRIVATE ${CMAKE_SOURCE_DIR}/tests/bench)
target_link_libraries(ringside-bench PRIVATE
  ringside_net ringside_tron ringside_flags Boost::headers
  PkgConfig::liburing CLI11::CLI11 fmt::fmt nlohmann_json::nlohmann_json)

# Every benchmark of the program's own list runs, and what it stores makes a page: that of a new one
# is a line in benches.cpp.
add_test(NAME bench_smoke
  COMMAND ${CMAKE_COMMAND} -DBENCH=$<TARGET_FILE:ringside-bench>
          -DWORK=${CMAKE_BINARY_DIR}/bench_smoke -P ${CMAKE_SOURCE_DIR}/tests/bench/smoke.cmake)
set_tests_properties(bench_smoke PROPERTIES TIMEOUT 300)
