# Compiler, linker and warnings for every target.

if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  message(FATAL_ERROR "Granary is built with clang 19 (g++ 12 miscompiles coroutines): use the "
                      "presets, e.g. `cmake --preset dev`, or simply `./dev build`.")
endif()

set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)

set(GRANARY_SANITIZE "" CACHE STRING "Sanitizers, as given to -fsanitize=; empty for none")

# No NDEBUG: assertions stay on in what is shipped. -g1 gives line numbers in backtraces at a
# quarter of the size and link time of -g.
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O2 -g1")
set(CMAKE_C_FLAGS_RELWITHDEBINFO "-O2 -g1")

find_program(GRANARY_CCACHE ccache)
if(GRANARY_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # ccache can only serve compilations that use a precompiled header under this sloppiness.
  set(CMAKE_CXX_COMPILER_LAUNCHER
      ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros ${GRANARY_CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${CMAKE_CXX_COMPILER_LAUNCHER})
endif()

add_compile_options(
  -Wall -Wextra -Werror
  -Wshadow
  -Wnon-virtual-dtor
  -Woverloaded-virtual
  -Wimplicit-fallthrough
  -Wcovered-switch-default      # no default: in a switch that names every enumerator
  -Wshorten-64-to-32
  -Wfloat-conversion
  -Wextra-semi
  -Wunreachable-code
  -Wcomma
  -Wrange-loop-analysis
  -Wno-missing-field-initializers
  -Wno-missing-designated-field-initializers  # Options{.limit = 3} leaves the rest at its default
  -fno-omit-frame-pointer
  -fdiagnostics-color=always
)
add_compile_definitions(_GLIBCXX_ASSERTIONS)
add_link_options(-fuse-ld=lld -Wl,--as-needed)

if(GRANARY_SANITIZE)
  # vptr needs the type information of every class used; SOCI's library hides its own.
  add_compile_options(-fsanitize=${GRANARY_SANITIZE} -fno-sanitize=vptr -fno-sanitize-recover=all
                      -O1)
  add_link_options(-fsanitize=${GRANARY_SANITIZE})
  add_compile_definitions(GRANARY_SANITIZED=1)
else()
  add_compile_options(-fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
  add_link_options(-Wl,-z,relro,-z,now)
endif()

# How hard the compiler works on a target. What ships is optimised; tests and their fakes (TEST)
# are not: they are 40 % of a build, and take a third less of it this way. Under the address
# sanitizer only the modules are that run for minutes, in fuzz targets or in the simulation (LONG),
# and these count their branches for the fuzz targets: the others compile in a third of the time.
function(granary_compile target)
  cmake_parse_arguments(ARG "TEST;LONG" "" "" ${ARGN})
  set(optimised TRUE)
  if(GRANARY_SANITIZE MATCHES "address")
    set(optimised ${ARG_LONG})
  elseif(ARG_TEST)
    set(optimised FALSE)
  endif()
  if(optimised)
    granary_compile_with(pch ${target})
  elseif(ARG_TEST)
    granary_compile_with(pch_tests ${target})
  else()
    granary_compile_with(pch_unoptimised ${target})
  endif()
endfunction()

# The precompiled headers: of everything that sees Asio, src/base/pch.h, and of tests besides. Each
# is made with the flags of what uses it.
function(granary_make_pchs)
  foreach(pch pch pch_unoptimised pch_tests)
    file(CONFIGURE OUTPUT ${pch}/${pch}.cc CONTENT "// Only here to carry precompiled headers.\n")
    add_library(${pch} STATIC "${CMAKE_CURRENT_BINARY_DIR}/${pch}/${pch}.cc")
    target_include_directories(${pch} PRIVATE "${PROJECT_SOURCE_DIR}/src")
    target_link_libraries(${pch} PRIVATE granary_base_libs)
    granary_compile_with(${pch} ${pch})
  endforeach()
  target_precompile_headers(pch PRIVATE "${PROJECT_SOURCE_DIR}/src/base/pch.h")
  target_precompile_headers(pch_unoptimised PRIVATE "${PROJECT_SOURCE_DIR}/src/base/pch.h")
  target_precompile_headers(pch_tests PRIVATE "${PROJECT_SOURCE_DIR}/src/base/testing/pch.h")
endfunction()

# The flags of that precompiled header, and the header.
function(granary_compile_with pch target)
  if(NOT pch STREQUAL "pch")
    target_compile_options(${target} PRIVATE -O0 -U_FORTIFY_SOURCE)
  elseif(GRANARY_SANITIZE MATCHES "address")
    target_compile_options(${target} PRIVATE -fsanitize=fuzzer-no-link)
  endif()
  if(pch STREQUAL "pch_tests")
    target_link_libraries(${target} PRIVATE GTest::gmock GTest::gtest)
  endif()
  if(NOT target STREQUAL pch)
    target_precompile_headers(${target} REUSE_FROM ${pch})
  endif()
  # Without timestamps the PCH is the same bytes for the same input, which ccache relies on.
  target_compile_options(${target} PRIVATE "SHELL:-Xclang -fno-pch-timestamp")
endfunction()
