# ringside-load: the load generator; its engine is a library that ringside-bench uses too.
add_library(ringside_load STATIC tests/load/cpu_time.cpp tests/load/load.cpp tests/load/session.cpp)
target_include_directories(ringside_load PUBLIC ${CMAKE_SOURCE_DIR} ${CMAKE_SOURCE_DIR}/tests/load)
target_link_libraries(ringside_load
  PUBLIC ringside_program ringside_relay ringside_tron ringside_net PkgConfig::liburing
  PRIVATE ringside_flags fmt::fmt nlohmann_json::nlohmann_json)
add_executable(ringside-load tests/load/load_main.cpp)
target_link_libraries(ringside-load PRIVATE ringside_load ringside_flags CLI11::CLI11 fmt::fmt)
