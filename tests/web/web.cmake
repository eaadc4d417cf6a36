# The web client: what it says and reads, other people's clients, and browsers.
if(RINGSIDE_WEB)
  add_executable(web_round_trip tests/web/round_trip.cpp)
  target_link_libraries(web_round_trip PRIVATE
    ringside_tron ringside_core ringside_flags nlohmann_json::nlohmann_json)
  add_test(NAME web_round_trip_test
    COMMAND ${NODE} ${CMAKE_SOURCE_DIR}/tests/web/round_trip_test.mjs --root ${CMAKE_SOURCE_DIR}
            --generated ${CMAKE_BINARY_DIR}/generated/web --peer $<TARGET_FILE:web_round_trip>)
  add_test(NAME web_clients_test
    COMMAND ${NODE} ${CMAKE_SOURCE_DIR}/tests/web/clients_test.mjs --program $<TARGET_FILE:ringside>)
  add_test(NAME web_browser_test
    COMMAND ${NODE} ${CMAKE_SOURCE_DIR}/tests/web/browser_test.mjs --program $<TARGET_FILE:ringside>
            --screenshots ${CMAKE_BINARY_DIR}/screenshots)
  add_test(NAME web_proxy_test
    COMMAND ${NODE} ${CMAKE_SOURCE_DIR}/tests/web/proxy_test.mjs --program $<TARGET_FILE:ringside>)
  set_tests_properties(web_round_trip_test web_clients_test web_browser_test web_proxy_test PROPERTIES TIMEOUT 300)
  set_tests_properties(web_browser_test web_proxy_test PROPERTIES LABELS slow TIMEOUT 600)
endif()
