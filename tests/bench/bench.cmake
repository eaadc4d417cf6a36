# ringside-bench: one program, one source a benchmark. bazel-free-scripts/bench runs it.
add_executable(ringside-bench
  tests/bench/bench.cpp tests/bench/bench_json.cpp tests/bench/bench_main.cpp
  tests/bench/bench_table.cpp tests/bench/benches.cpp tests/bench/chart_svg.cpp
  tests/bench/report_html.cpp tests/bench/run_facts.cpp)
target_include_directories(ringside-bench PRIVATE ${CMAKE_SOURCE_DIR}/tests/bench)
target_link_libraries(ringside-bench PRIVATE
  ringside_net ringside_tron ringside_flags CLI11::CLI11 fmt::fmt nlohmann_json::nlohmann_json)
