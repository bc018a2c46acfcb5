# The simulation of the control plane, src/lifecycle/testing/simulation/: a library that
# lifecycle_sim_test uses, and the program granary_sim that `./dev sim` runs.

# After granary_build_rooms().
function(granary_simulation)
  file(GLOB sources CONFIGURE_DEPENDS
       "${PROJECT_SOURCE_DIR}/src/lifecycle/testing/simulation/*.cc")
  list(FILTER sources EXCLUDE REGEX "/main\\.cc$")
  add_library(lifecycle_simulation STATIC ${sources})
  target_link_libraries(lifecycle_simulation PUBLIC lifecycle lifecycle_testing cloud_sim)
  granary_compile(lifecycle_simulation LONG)
  target_link_libraries(lifecycle_sim_test PRIVATE lifecycle_simulation)
  add_executable(granary_sim "${PROJECT_SOURCE_DIR}/src/lifecycle/testing/simulation/main.cc")
  target_link_libraries(granary_sim PRIVATE lifecycle_simulation)
  granary_compile(granary_sim)
endfunction()
