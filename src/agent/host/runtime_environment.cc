#include "agent/host/runtime_environment.h"

#include <algorithm>

namespace granary::agent {
namespace {

// What Go's collector leaves free of the limit: it does not count what the kernel and C libraries
// take for the process.
constexpr std::uint64_t kGoPercent = 90;
// As Go itself from version 1.25 on: one thread alone would wait for each collection.
constexpr unsigned kFewestGoThreads = 2;

// Node finds its limit of memory and takes half of it for its heap, but never less than 256 MiB.
constexpr std::uint64_t kNodeKnows = 512ULL << 20;

// Cores that a share of `millis` is worth: as many threads can run at once.
unsigned cores_of(std::uint32_t millis, unsigned cores) {
  return std::clamp((millis + 999) / 1000, 1U, std::max(cores, 1U));
}

}  // namespace

Variables runtime_variables(const wire::Limits& limits, unsigned cores) {
  const unsigned share = cores_of(limits.cpu_millis, cores);
  const unsigned go = std::min(std::max(share, kFewestGoThreads), std::max(cores, 1U));
  Variables variables = {
      // Only the gateway reaches an app, and what it says of a client it has written itself. By a
      // socket without an address uvicorn would not believe it. (gunicorn reads it as well.)
      {"FORWARDED_ALLOW_IPS", "*"},
      // Go reads no limit of memory, and none of the CPU before 1.25.
      {"GOMAXPROCS", std::to_string(go)},
      {"GOMEMLIMIT", std::to_string(limits.memory_bytes / 100 * kGoPercent)},
      // Python reads no limit. From 3.13 on it takes this for the number of cores.
      {"PYTHON_CPU_COUNT", std::to_string(share)},
      // Libraries for arithmetic start a thread for each core, and each counts as a process.
      {"OMP_NUM_THREADS", std::to_string(share)},
  };
  if (limits.memory_bytes < kNodeKnows)
    variables.emplace_back("NODE_OPTIONS",
                           fmt::format("--max-old-space-size={}", limits.memory_bytes / 2 >> 20));
  return variables;
}

}  // namespace granary::agent
