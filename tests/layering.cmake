# layering: no folder includes what belongs to another. Run as `cmake -DROOT=… -P layering.cmake`.
#
# The compiler enforces the direction between folders (a target sees only what it USES), but the
# headers of system packages are visible to everybody, and so are clocks and files. This reads each
# #include instead. What may be included where is this table, one line a folder:

# folder(<name> SEES <folders> OWNS <package headers>)
macro(layering_table)
  folder(core  SEES core              OWNS boost/crc.hpp)
  folder(ipc   SEES core ipc          OWNS boost/interprocess/ seccomp.h)
  folder(net   SEES core ipc net      OWNS liburing.h liburing/ sodium boost/beast boost/asio wslay/ nettle/)
  folder(games SEES core ipc net      OWNS CLI/ curses.h ncurses.h ncursesw/ qrencode.h prometheus/ systemd/)
  folder(tests SEES core ipc net      OWNS catch2/ CLI/ boost/lockfree/ liburing.h)
endmacro()

# Packages open to every folder's .cpp files: FlatBuffers (schemas of every folder), fmt (text),
# nlohmann (JSON, in games and tests). No public header shows any package.
set(open_packages flatbuffers/ fmt/ nlohmann/)

# Directories of the system's own headers; any other <x/y> is a package and needs a line above.
set(system_headers sys/ linux/ netinet/ arpa/ net/ asm/)

# Rules are a pure function of (config, seed, events): the sources directly in games/<type>/ and its
# public headers. games/ringside is the program, not a game type.
set(rules_sees core)
set(rules_headers_forbidden
  random ctime time.h thread stop_token mutex shared_mutex condition_variable future semaphore latch
  barrier atomic fstream filesystem iostream cstdio stdio.h unistd.h fcntl.h pthread.h sched.h poll.h
  signal.h csignal ringside/core/clock.hpp)
set(rules_words_forbidden
  steady_clock system_clock high_resolution_clock clock_gettime gettimeofday getenv)

# ---- the check ----------------------------------------------------------------------------------

cmake_minimum_required(VERSION 3.25)
set(problems "")
set(files_seen 0)
set(packages_owned "")

function(problem file text)
  cmake_path(RELATIVE_PATH file BASE_DIRECTORY ${ROOT})
  set(problems "${problems}  ${file}: ${text}\n" PARENT_SCOPE)
endfunction()

# starts_with(<result> <path> <prefixes>...)
function(starts_with result path)
  set(${result} FALSE PARENT_SCOPE)
  foreach(prefix IN LISTS ARGN)
    string(FIND "${path}" "${prefix}" at)
    if(at EQUAL 0)
      set(${result} TRUE PARENT_SCOPE)
    endif()
  endforeach()
endfunction()

function(check_include file path folder sees owns public rules)
  if(path MATCHES "\\.\\./")
    problem(${file} "includes \"${path}\": by full path, never with ../")
  elseif(path MATCHES "^ringside/(core|ipc|net)/")
    if(NOT CMAKE_MATCH_1 IN_LIST sees)
      problem(${file} "includes \"${path}\": ${folder} does not see ${CMAKE_MATCH_1}")
    endif()
    if(rules AND path IN_LIST rules_headers_forbidden)
      problem(${file} "includes \"${path}\": rules have no clock")
    endif()
  elseif(path MATCHES "^ringside/")
    if(NOT folder MATCHES "^(games|tests)$")
      problem(${file} "includes \"${path}\": ${folder} knows no game type")
    endif()
  elseif(path MATCHES "^(core|ipc|net|games|tests)/.*[.]hpp$")
    # A folder's private headers are its own; tests look into every folder, by design.
    if(NOT CMAKE_MATCH_1 STREQUAL folder AND NOT folder STREQUAL "tests")
      problem(${file} "includes \"${path}\": a private header of ${CMAKE_MATCH_1}")
    endif()
  elseif(rules AND (path IN_LIST rules_headers_forbidden OR path MATCHES "^sys/"))
    problem(${file} "includes <${path}>: rules have no clock, thread, file or chance of their own")
  else()
    starts_with(is_system "${path}" ${system_headers})
    starts_with(is_known "${path}" ${packages_owned} ${open_packages})
    if(is_known OR (path MATCHES "/" AND NOT is_system))
      starts_with(is_allowed "${path}" ${owns} ${open_packages})
      if(NOT is_allowed)
        problem(${file} "includes <${path}>: a package that ${folder} does not own")
      elseif(public)
        problem(${file} "includes <${path}>: a package in a public header")
      endif()
    endif()
  endif()
  set(problems "${problems}" PARENT_SCOPE)
endfunction()

function(check_file file folder sees owns)
  cmake_path(RELATIVE_PATH file BASE_DIRECTORY ${ROOT} OUTPUT_VARIABLE relative)
  set(public FALSE)
  if(relative MATCHES "^(core|ipc|net|games/[^/]+)/include/")
    set(public TRUE)
  endif()
  set(rules FALSE)
  if(relative MATCHES "^games/[^/]+/([^/]+$|include/)" AND NOT relative MATCHES "^games/ringside/")
    set(rules TRUE)
    set(sees ${rules_sees})
  endif()
  file(STRINGS ${file} lines REGEX "^[ \t]*#[ \t]*include")
  foreach(line IN LISTS lines)
    if(line MATCHES "include[ \t]*[<\"]([^>\"]+)[>\"]")
      check_include(${file} "${CMAKE_MATCH_1}" ${folder} "${sees}" "${owns}" ${public} ${rules})
    endif()
  endforeach()
  if(rules)
    foreach(word IN LISTS rules_words_forbidden)
      file(STRINGS ${file} lines REGEX "${word}" LIMIT_COUNT 1)
      if(lines)
        problem(${file} "says ${word}: rules have no clock, thread, file or chance of their own")
      endif()
    endforeach()
  endif()
  set(problems "${problems}" PARENT_SCOPE)
endfunction()

# First pass over the table: which headers belong to somebody. Second: the files.
macro(folder name)
  cmake_parse_arguments(row "" "" "SEES;OWNS" ${ARGN})
  list(APPEND packages_owned ${row_OWNS})
endmacro()
layering_table()

macro(folder name)
  cmake_parse_arguments(row "" "" "SEES;OWNS" ${ARGN})
  file(GLOB_RECURSE files ${ROOT}/${name}/*.cpp ${ROOT}/${name}/*.hpp ${ROOT}/${name}/*.h)
  foreach(file IN LISTS files)
    math(EXPR files_seen "${files_seen} + 1")
    check_file(${file} ${name} "${row_SEES}" "${row_OWNS}")
  endforeach()
endmacro()
layering_table()

if(problems)
  message(FATAL_ERROR "layering:\n${problems}")
endif()
if(files_seen EQUAL 0)
  message(FATAL_ERROR "layering: no source file under '${ROOT}'")
endif()
message(STATUS "layering: ${files_seen} files")
