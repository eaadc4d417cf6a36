# ringside-bench: one program, one source a benchmark. bazel-free-scripts/bench runs it.
add_executable(ringside-bench
  tests/bench/bench.cpp tests/bench/bench_json.cpp tests/bench/bench_main.cpp
  tests/bench/benches.cpp
  tests/bench/bare_processes.cpp tests/bench/local_games.cpp tests/bench/node_rival.cpp
  tests/bench/broadcast.cpp tests/bench/burner.cpp tests/bench/bytes.cpp tests/bench/crowd.cpp tests/bench/density.cpp tests/bench/parked_games.cpp
  tests/bench/population.cpp tests/bench/seed_table.cpp
  tests/bench/rivals/epoll_broadcast.cpp tests/bench/served.cpp
  tests/bench/spawn.cpp tests/bench/tron_population.cpp)
target_compile_definitions(ringside-bench PRIVATE
  RINGSIDE_PROGRAM="$<TARGET_FILE:ringside>"
  RINGSIDE_RIVALS="${CMAKE_SOURCE_DIR}/tests/bench/rivals")
add_dependencies(ringside-bench ringside)
target_include_directories(ringside-bench PRIVATE
  ${CMAKE_SOURCE_DIR} ${CMAKE_SOURCE_DIR}/tests/bench)
target_link_libraries(ringside-bench PRIVATE
  ringside_net ringside_relay ringside_tron ringside_tron_bot ringside_flags CLI11::CLI11 fmt::fmt nlohmann_json::nlohmann_json)
