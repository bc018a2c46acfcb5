# Fuzz targets: src/ROOM/testing/NAME_fuzz.cc is the libFuzzer program NAME_fuzz, which starts from
# tests/fuzz/corpus/NAME_fuzz/. In the asan preset alone, where the modules that they run count
# their branches for them (compiler.cmake); elsewhere the files are not compiled. `fuzzers` builds
# them all.

set(GRANARY_FUZZ OFF)
if(GRANARY_SANITIZE MATCHES "address")
  set(GRANARY_FUZZ ON)
endif()

# Whether this room's code runs for minutes: in fuzz targets or in the simulation.
function(granary_runs_long out room)
  set(long base store cloud cloud_sim registry operation lifecycle)
  get_property(dir GLOBAL PROPERTY GRANARY_ROOM_${room}_DIR)
  file(GLOB targets CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/${dir}/testing/*_fuzz.cc")
  set(${out} FALSE PARENT_SCOPE)
  if(targets OR room IN_LIST long)
    set(${out} TRUE PARENT_SCOPE)
  endif()
endfunction()

# After granary_build_rooms(). A target links its room and the room's fakes.
function(granary_fuzz_programs)
  if(NOT GRANARY_FUZZ)
    return()
  endif()
  add_custom_target(fuzzers)
  get_property(rooms GLOBAL PROPERTY GRANARY_ROOMS)
  foreach(room IN LISTS rooms)
    get_property(dir GLOBAL PROPERTY GRANARY_ROOM_${room}_DIR)
    file(GLOB sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/${dir}/testing/*_fuzz.cc")
    foreach(source IN LISTS sources)
      get_filename_component(target "${source}" NAME_WE)
      add_executable(${target} EXCLUDE_FROM_ALL "${source}")
      target_link_libraries(${target} PRIVATE ${room}_testing ${room})
      target_link_options(${target} PRIVATE -fsanitize=fuzzer)
      granary_compile(${target} LONG)
      add_dependencies(fuzzers ${target})
    endforeach()
  endforeach()
endfunction()
