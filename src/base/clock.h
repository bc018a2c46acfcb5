// Time as this program sees it. `now()` of the standard clocks is called in base/os alone, so that
// everything else runs under a virtual clock in tests and in simulation.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/result.h"

namespace granary::base {

// UTC. Microseconds are what the store keeps.
using WallTime = std::chrono::sys_time<std::chrono::microseconds>;
// Never goes back; counts also while the machine sleeps (CLOCK_BOOTTIME), so that it means the
// same in every process of one machine and can be put on the activity board.
using BootTime = std::chrono::nanoseconds;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual WallTime wall() const = 0;
  virtual BootTime boot() const = 0;
};

// RFC 3339 in UTC with milliseconds: 2026-11-24T07:13:00.123Z.
std::string to_rfc3339(WallTime time);
// Accepts what to_rfc3339 writes, with 0 to 6 digits of fraction. Errors: InvalidArgument.
Result<WallTime> parse_rfc3339(std::string_view text);

// "90s", "5m", "4h", "30d", "250ms". Errors: InvalidArgument.
Result<std::chrono::milliseconds> parse_duration(std::string_view text);
// The shortest exact form in the same units: "60s" -> "1m".
std::string format_duration(std::chrono::milliseconds duration);

}  // namespace granary::base
