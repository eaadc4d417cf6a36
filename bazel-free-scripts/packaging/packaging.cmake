# What `cmake --install` puts where, and the Debian packages that `cpack` makes of it: ringside, and
# ringside-dbgsym with its symbols.

# Manual pages, completion and the sample of a config file, from the program's own table of options.
add_executable(ringside-manual games/ringside/manual_main.cpp games/ringside/manual.cpp)
target_link_libraries(ringside-manual PRIVATE ringside_program ringside_flags fmt::fmt)
target_compile_definitions(ringside-manual PRIVATE RINGSIDE_VERSION="${PROJECT_VERSION}")
find_program(GZIP gzip REQUIRED)
set(RINGSIDE_MANUAL ${CMAKE_BINARY_DIR}/generated/manual)
configure_file(bazel-free-scripts/packaging/changelog.in generated/changelog @ONLY)
add_custom_command(
  OUTPUT ${RINGSIDE_MANUAL}/made
  COMMAND ${CMAKE_COMMAND} -E rm -rf ${RINGSIDE_MANUAL}
  COMMAND ${CMAKE_COMMAND} -E make_directory ${RINGSIDE_MANUAL}/man1
  COMMAND ringside-manual ${RINGSIDE_MANUAL}
  COMMAND sh -euc "cd \"$1\"; for page in *.1; do \"$2\" -9n <$page >man1/$page.gz; done; \"$2\" -9n <../changelog >changelog.gz; touch made"
          sh ${RINGSIDE_MANUAL} ${GZIP}
  DEPENDS ringside-manual ${CMAKE_BINARY_DIR}/generated/changelog
  VERBATIM)
add_custom_target(ringside_manual ALL DEPENDS ${RINGSIDE_MANUAL}/made)

configure_file(bazel-free-scripts/packaging/ringside.service.in generated/ringside.service @ONLY)

set(CMAKE_INSTALL_DEFAULT_COMPONENT_NAME ringside)
install(TARGETS ringside RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(DIRECTORY ${RINGSIDE_MANUAL}/man1 DESTINATION ${CMAKE_INSTALL_MANDIR})
install(FILES ${RINGSIDE_MANUAL}/ringside.bash RENAME ringside
  DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
install(FILES ${RINGSIDE_MANUAL}/changelog.gz bazel-free-scripts/packaging/copyright docs/deployment.md
              docs/proxy/nginx.conf
  DESTINATION ${CMAKE_INSTALL_DOCDIR})
# Where systemd looks, whatever the prefix is called.
install(FILES ${CMAKE_BINARY_DIR}/generated/ringside.service ${CMAKE_SOURCE_DIR}/bazel-free-scripts/packaging/ringside.socket
  DESTINATION lib/systemd/system)
install(FILES bazel-free-scripts/packaging/ringside.sysusers RENAME ringside.conf DESTINATION lib/sysusers.d)
# The options of the service. GNUInstallDirs makes it /etc for a prefix of /usr.
install(FILES ${RINGSIDE_MANUAL}/ringside.toml
  DESTINATION ${CMAKE_INSTALL_FULL_SYSCONFDIR}/ringside)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME ringside)
set(CPACK_PACKAGE_VENDOR "Ringside's authors")
set(CPACK_PACKAGE_CONTACT "Ringside's authors <maintainers@ringside.invalid>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "host of small real-time games in shared memory")
set(CPACK_COMPONENT_RINGSIDE_DESCRIPTION
"Ringside hosts many small real-time games on one machine, each in a process of
its own. Players reach them with a terminal or a browser, through fronts that
sleep in one io_uring; fronts and games meet in lock-free rings in shared
memory. Its first game is tron, steered with the keys of vim.")
set(CPACK_COMPONENTS_ALL ringside)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_SET_DESTDIR ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
  OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_RINGSIDE_PACKAGE_NAME ringside)
set(CPACK_DEBIAN_RINGSIDE_PACKAGE_SECTION net)
set(CPACK_DEBIAN_RINGSIDE_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_RINGSIDE_DEBUGINFO_PACKAGE ON)
# systemd-sysusers makes the user that the service runs as.
set(CPACK_DEBIAN_RINGSIDE_PACKAGE_DEPENDS "systemd | systemd-standalone-sysusers")
set(CPACK_DEBIAN_RINGSIDE_PACKAGE_CONTROL_EXTRA
  "${CMAKE_SOURCE_DIR}/bazel-free-scripts/packaging/conffiles;${CMAKE_SOURCE_DIR}/bazel-free-scripts/packaging/postinst;${CMAKE_SOURCE_DIR}/bazel-free-scripts/packaging/prerm;${CMAKE_SOURCE_DIR}/bazel-free-scripts/packaging/postrm")
set(CPACK_DEBIAN_RINGSIDE_PACKAGE_CONTROL_STRICT_PERMISSION ON)
include(CPack)
