# granary-init: the first process inside a silo. It runs in a file system that need not have any of
# our libraries, so it is fully static, and small because every running silo carries one: no
# exceptions, no RTTI, no Boost, no precompiled header, never sanitized.
#
# Its room is declared here rather than with granary_room: `init` (all but main.cc) is a library,
# so that init_test can test its parts as well as the finished program, whose path the test gets
# as GRANARY_INIT_PATH.

set(GRANARY_INIT_DIR "${PROJECT_SOURCE_DIR}/src/agent/init")
set_property(GLOBAL APPEND PROPERTY GRANARY_ROOM_DIRS "${GRANARY_INIT_DIR}")  # not part of agent

function(granary_init_program)
  set(dir "${GRANARY_INIT_DIR}")
  file(GLOB main CONFIGURE_DEPENDS "${dir}/main.cc")
  file(GLOB tests CONFIGURE_DEPENDS "${dir}/*_test.cc")
  file(GLOB sources CONFIGURE_DEPENDS "${dir}/*.cc")
  file(GLOB harness CONFIGURE_DEPENDS "${dir}/testing/*.cc")
  list(FILTER sources EXCLUDE REGEX "(_test|/main)\\.cc$")
  if(NOT main)
    return()
  endif()

  add_library(init_flags INTERFACE)
  target_include_directories(init_flags INTERFACE "${PROJECT_SOURCE_DIR}/src")
  target_compile_options(init_flags INTERFACE
    -Os -fno-exceptions -fno-rtti -fno-sanitize=all -ffunction-sections -fdata-sections)

  set(parts "")
  if(sources)
    add_library(init STATIC ${sources})
    target_link_libraries(init PRIVATE init_flags)
    target_include_directories(init INTERFACE "${PROJECT_SOURCE_DIR}/src")
    set(parts init)
  endif()

  add_executable(granary-init ${main})
  target_link_libraries(granary-init PRIVATE ${parts} init_flags)
  target_link_options(granary-init PRIVATE -static -fno-sanitize=all -Wl,--gc-sections)

  set(root_tests "${tests}")
  list(FILTER root_tests INCLUDE REGEX "_root_test\\.cc$")
  list(FILTER tests EXCLUDE REGEX "_root_test\\.cc$")
  if(tests)
    granary_test(init_test LABELS unit SOURCES ${tests} ${harness}
                 LINK ${parts} base base_testing wire)
  endif()
  if(root_tests)
    granary_test(init_root_test LABELS root SOURCES ${root_tests} ${harness}
                 LINK ${parts} base base_testing wire)
  endif()
  foreach(test init_test init_root_test)
    if(TARGET ${test})
      add_dependencies(${test} granary-init)
      target_compile_definitions(${test} PRIVATE
        GRANARY_INIT_PATH="$<TARGET_FILE:granary-init>")
    endif()
  endforeach()
endfunction()
