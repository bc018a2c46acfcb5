# granary-attack: runs inside a silo and tries to break out of it (src/walls/README.md). Static like
# granary-init, for the same reason; without exceptions and RTTI, never sanitized: it dies of its
# attempts often enough. Its room is declared here; it links none of ours.

set(GRANARY_WALLS_DIR "${PROJECT_SOURCE_DIR}/src/walls")

function(granary_attack_program)
  file(GLOB sources CONFIGURE_DEPENDS "${GRANARY_WALLS_DIR}/*.cc")
  if(NOT sources)
    return()
  endif()
  add_executable(granary-attack ${sources})
  target_include_directories(granary-attack PRIVATE "${PROJECT_SOURCE_DIR}/src")
  target_compile_options(granary-attack PRIVATE
    -Os -fno-exceptions -fno-rtti -fno-sanitize=all -ffunction-sections -fdata-sections)
  target_link_options(granary-attack PRIVATE -static -fno-sanitize=all -Wl,--gc-sections)
endfunction()
