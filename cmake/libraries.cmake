# Third-party libraries, all from Debian 12 (tools/debian-packages.txt), as interface targets.

find_package(Threads REQUIRED)
find_package(Boost 1.81 REQUIRED COMPONENTS json url)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(CLI11 REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(ZLIB REQUIRED)
find_package(LibArchive REQUIRED)
find_package(GTest REQUIRED)
find_package(benchmark QUIET)

# For libraries that ship no CMake config: an interface target over plain library names.
function(granary_plain_library target)
  cmake_parse_arguments(ARG "" "HEADER" "NAMES;LINK" ${ARGN})
  find_path(${target}_INCLUDE ${ARG_HEADER} REQUIRED)
  add_library(${target} INTERFACE)
  foreach(name IN LISTS ARG_NAMES)
    find_library(${target}_${name} ${name} REQUIRED)
    target_link_libraries(${target} INTERFACE ${${target}_${name}})
  endforeach()
  target_link_libraries(${target} INTERFACE ${ARG_LINK})
endfunction()

granary_plain_library(granary_soci HEADER soci/soci.h NAMES soci_core soci_sqlite3
                      LINK SQLite::SQLite3)
granary_plain_library(granary_archive HEADER zstd.h NAMES zstd brotlienc brotlidec brotlicommon
                      LINK LibArchive::LibArchive ZLIB::ZLIB)
granary_plain_library(granary_seccomp HEADER seccomp.h NAMES seccomp)
granary_plain_library(granary_sodium HEADER sodium.h NAMES sodium)

# What base, and through it every room, sees.
add_library(granary_base_libs INTERFACE)
target_link_libraries(granary_base_libs INTERFACE
  Boost::headers Boost::json Boost::url fmt::fmt spdlog::spdlog OpenSSL::Crypto OpenSSL::SSL
  Threads::Threads)
target_compile_definitions(granary_base_libs INTERFACE
  BOOST_ASIO_NO_DEPRECATED
  BOOST_ASIO_DISABLE_BOOST_COROUTINE  # one kind of coroutine in the house: awaitable
  BOOST_ASIO_SEPARATE_COMPILATION     # their functions are compiled once, in src/base/boost.cc
  BOOST_BEAST_SEPARATE_COMPILATION
)
