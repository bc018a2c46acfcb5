// What one simulated world is like. All of it follows from its seed, so that the seed alone repeats
// the run. A value type.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "cloud/sim/link.h"

namespace granary::lifecycle::simulation {

// Chances are per call, between 0 and 1.
struct Options {
  std::uint64_t seed = 1;
  std::uint32_t tenants = 12;            // names that customers choose from
  std::uint32_t customers = 6;           // that act at the same time
  std::uint32_t operations = 200;        // that customers ask for, all together
  std::chrono::milliseconds think{400};  // between two requests of one customer, on average

  cloud::sim::Faults cloud;
  cloud::sim::LinkFaults link;
  double probe_fails = 0;
  double publish_fails = 0;
  double archive_fails = 0;

  double store_fails = 0;  // of writes: nothing is written
  double store_loses = 0;  // of writes: durable, but the answer is lost
  double reads_fail = 0;
  double crash_at_write = 0;                // before, inside or after it
  double crash_at_call = 0;                 // when control asks its cloud
  std::chrono::seconds crash_every{0};      // at any moment, on average; 0: never
  std::chrono::seconds disk_full_every{0};  // for up to ten minutes
  std::chrono::seconds clock_jump_every{0};
  std::chrono::seconds reboot_every{0};
  // Another control takes its place while it still lives, or one at another place waits for the
  // lease of one that died.
  std::chrono::seconds replace_every{0};
  std::chrono::seconds lease_renews{120};

  std::uint32_t check_every = 100;  // finished operations between two checks of all invariants
};

// A world of the kind that `seed` draws: most are small and nasty, some are large; each has some
// of the faults, so that none hides behind another.
Options options_for(std::uint64_t seed);
std::string describe(const Options& options);

}  // namespace granary::lifecycle::simulation
