# Rooms: one folder of src/ each, one static library, its fakes, its tests.
#
#   granary_room(<name> DIR <folder> [DEPS <rooms>...] [TEST_DEPS <rooms>...]
#                [LIBS <third-party targets>...])
#   granary_build_rooms()      once, after the last granary_room
#
# makes, from what the folder holds at the moment:
#   <name>            library of *.cc, recursively, but for folders that are rooms of their own
#   <name>_testing    the fakes: testing/*.cc (an interface library when there are only headers)
#   <name>_test       gtest program of *_test.cc, ctest label `unit`
#   <name>_root_test  gtest program of *_root_test.cc, ctest label `root`: needs root
#   <name>_sim_test   gtest program of *_sim_test.cc, labels `unit` and `sim`: simulated worlds of
#                     fixed seeds (`./dev sim` runs others)
#   <name>_bench      google-benchmark program of *_bench.cc, not part of `all`
#
# Globs are CONFIGURE_DEPENDS: a new file is picked up by the next build.

set(GRANARY_TEST_RESULTS "${PROJECT_BINARY_DIR}/test-results")
set(GRANARY_TEST_TIMEOUT 300)  # seconds, of one program
if(GRANARY_SANITIZE)
  set(GRANARY_TEST_TIMEOUT 900)
endif()
file(MAKE_DIRECTORY "${GRANARY_TEST_RESULTS}")

function(granary_room name)
  cmake_parse_arguments(ARG "" "DIR" "DEPS;TEST_DEPS;LIBS" ${ARGN})
  if(ARG_UNPARSED_ARGUMENTS OR NOT ARG_DIR)
    message(FATAL_ERROR "granary_room(${name}): DIR missing, or unknown: ${ARG_UNPARSED_ARGUMENTS}")
  endif()
  set_property(GLOBAL APPEND PROPERTY GRANARY_ROOMS ${name})
  set_property(GLOBAL APPEND PROPERTY GRANARY_ROOM_DIRS "${PROJECT_SOURCE_DIR}/${ARG_DIR}")
  foreach(key DIR DEPS TEST_DEPS LIBS)
    set_property(GLOBAL PROPERTY GRANARY_ROOM_${name}_${key} "${ARG_${key}}")
  endforeach()
endfunction()

function(granary_build_rooms)
  granary_make_pchs()
  add_custom_target(unit_tests)  # all programs labelled `unit`
  get_property(rooms GLOBAL PROPERTY GRANARY_ROOMS)
  foreach(room IN LISTS rooms)
    granary_build_room(${room})
  endforeach()
  get_property(benches GLOBAL PROPERTY GRANARY_BENCHES)
  add_custom_target(benches DEPENDS ${benches})
endfunction()

# Sources of a folder, without those of the rooms inside it and without testing/.
function(granary_room_sources out dir)
  file(GLOB_RECURSE found CONFIGURE_DEPENDS "${dir}/*.cc")
  get_property(room_dirs GLOBAL PROPERTY GRANARY_ROOM_DIRS)
  set(kept "")
  foreach(source IN LISTS found)
    set(own TRUE)
    foreach(other IN LISTS room_dirs)
      string(FIND "${other}/" "${dir}/" inside)
      string(FIND "${source}" "${other}/" position)
      if(NOT other STREQUAL dir AND inside EQUAL 0 AND position EQUAL 0)
        set(own FALSE)
      endif()
    endforeach()
    if(own AND NOT source MATCHES "/testing/")
      list(APPEND kept "${source}")
    endif()
  endforeach()
  set(${out} "${kept}" PARENT_SCOPE)
endfunction()

# A library, or an interface library while there is nothing to compile. COMPILE: as it is told to
# granary_compile().
function(granary_library target)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK;COMPILE" ${ARGN})
  if(ARG_SOURCES)
    add_library(${target} STATIC ${ARG_SOURCES})
    target_include_directories(${target} PUBLIC "${PROJECT_SOURCE_DIR}/src")
    target_link_libraries(${target} PUBLIC ${ARG_LINK})
    granary_compile(${target} ${ARG_COMPILE})
  else()
    add_library(${target} INTERFACE)
    target_include_directories(${target} INTERFACE "${PROJECT_SOURCE_DIR}/src")
    target_link_libraries(${target} INTERFACE ${ARG_LINK})
  endif()
endfunction()

# A gtest program and its one ctest entry. Results land in test-results/<name>.xml, where
# tools/dev counts the single cases.
function(granary_test target)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK;LABELS" ${ARGN})
  if(NOT ARG_SOURCES)
    return()
  endif()
  add_executable(${target} ${ARG_SOURCES})
  target_include_directories(${target} PRIVATE "${PROJECT_SOURCE_DIR}/src")
  target_link_libraries(${target} PRIVATE ${ARG_LINK} GTest::gmock GTest::gtest GTest::gmock_main)
  granary_compile(${target} TEST)
  add_test(NAME ${target} COMMAND ${target} WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}")
  set_tests_properties(${target} PROPERTIES
    LABELS "${ARG_LABELS}"
    TIMEOUT ${GRANARY_TEST_TIMEOUT}
    ENVIRONMENT "GTEST_OUTPUT=xml:${GRANARY_TEST_RESULTS}/${target}.xml")
  if("unit" IN_LIST ARG_LABELS)
    add_dependencies(unit_tests ${target})
  endif()
endfunction()

function(granary_bench target)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  if(NOT ARG_SOURCES OR NOT TARGET benchmark::benchmark_main)
    return()
  endif()
  add_executable(${target} EXCLUDE_FROM_ALL ${ARG_SOURCES})
  target_include_directories(${target} PRIVATE "${PROJECT_SOURCE_DIR}/src")
  target_link_libraries(${target} PRIVATE ${ARG_LINK} benchmark::benchmark_main)
  granary_compile(${target})
  set_property(GLOBAL APPEND PROPERTY GRANARY_BENCHES ${target})
endfunction()

function(granary_build_room name)
  foreach(key DIR DEPS TEST_DEPS LIBS)
    get_property(${key} GLOBAL PROPERTY GRANARY_ROOM_${name}_${key})
  endforeach()
  set(dir "${PROJECT_SOURCE_DIR}/${DIR}")
  granary_room_sources(sources "${dir}")
  foreach(kind root_test sim_test test bench)  # the longer endings first: each takes its own away
    set(${kind}_sources "${sources}")
    list(FILTER ${kind}_sources INCLUDE REGEX "_${kind}\\.cc$")
    list(FILTER sources EXCLUDE REGEX "_${kind}\\.cc$")
  endforeach()
  list(FILTER sources EXCLUDE REGEX "/main\\.cc$")
  file(GLOB_RECURSE testing_sources CONFIGURE_DEPENDS "${dir}/testing/*.cc")
  list(FILTER testing_sources EXCLUDE REGEX "_fuzz\\.cc$")  # cmake/fuzz.cmake
  list(FILTER testing_sources EXCLUDE REGEX "/testing/simulation/")  # cmake/simulation.cmake
  set(testing_tests "${testing_sources}")
  list(FILTER testing_tests INCLUDE REGEX "_test\\.cc$")
  list(FILTER testing_sources EXCLUDE REGEX "_test\\.cc$")

  set(long "")
  granary_runs_long(runs_long ${name})
  if(runs_long)
    set(long LONG)
  endif()
  granary_library(${name} COMPILE ${long} SOURCES ${sources} LINK ${DEPS} ${LIBS})
  set(dep_testing ${DEPS})
  list(TRANSFORM dep_testing APPEND "_testing")
  granary_library(${name}_testing COMPILE TEST ${long}
                  SOURCES ${testing_sources} LINK ${name} ${dep_testing})
  set(link ${name} ${name}_testing)
  foreach(dep IN LISTS TEST_DEPS)
    list(APPEND link ${dep} ${dep}_testing)
  endforeach()
  granary_test(${name}_test LABELS unit
               SOURCES ${test_sources} ${testing_tests} LINK ${link})
  granary_test(${name}_sim_test LABELS unit sim SOURCES ${sim_test_sources} LINK ${link})
  granary_test(${name}_root_test LABELS root SOURCES ${root_test_sources} LINK ${link})
  granary_bench(${name}_bench SOURCES ${bench_sources} LINK ${link})
endfunction()
