// The command line of granary-init, as the agent writes it. Pure: reads nothing but its argument.
// Not for people: a wrong command line is a bug of the agent.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <span>

namespace granary::init {

// How the app gets its connections.
enum class Listen {
  Descriptor,  // it inherits the listening socket (LISTEN_FDS)
  Port,        // it listens on a TCP port of its own, to which init forwards
};

struct Options {
  Listen listen = Listen::Descriptor;
  std::uint16_t port = 0;  // Listen::Port only
  std::chrono::milliseconds stop_timeout{0};
  std::uint64_t log_bytes = 0;   // both files of the ring together
  const char* egress = nullptr;  // the platform's egress socket; null: there is no way out
  const char* empty = nullptr;   // a folder with what an earlier life has left; null: none
  // Whether the app may be told who reads what it watches; else it is kept from it (watch_gate.h).
  enum class Watches { Free, Guarded };
  Watches watches = Watches::Free;
  const char* workdir = "/app";
  char** command = nullptr;  // ends with a null pointer; at least one argument
};

struct OptionsError {
  const char* option;   // as it was written, or the one that is missing
  const char* problem;  // what is wrong with it, and what is wanted
};

// `arguments` are argv without the program's name, with argv's null pointer after their end.
// The result points into them.
std::expected<Options, OptionsError> parse_options(std::span<char*> arguments);

}  // namespace granary::init
