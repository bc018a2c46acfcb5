# Fuzz targets: src/ROOM/testing/NAME_fuzz.cc is the libFuzzer program NAME_fuzz, which starts from
# tests/fuzz/corpus/NAME_fuzz/. In the asan preset alone, where all that is compiled from here on
# counts its branches for them; elsewhere the files are not compiled. `fuzzers` builds them all.

set(GRANARY_FUZZ OFF)
if(GRANARY_SANITIZE MATCHES "address")
  set(GRANARY_FUZZ ON)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

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
      granary_use_pch(${target})
      add_dependencies(fuzzers ${target})
    endforeach()
  endforeach()
endfunction()
