// One line for each connection that an account asked for, allowed or not, into a file of the
// account's own. Gathered in memory and written by a worker every second; what a disk is too slow
// for, or an account writes too much of, is dropped and counted. Owned by the Proxy; one thread.
//
//   2026-11-24T07:13:00.123Z api.example.com:443 93.184.216.34 517 4096 0.240 closed
//   time of its end, target, address, bytes up, bytes down, seconds, outcome; "-": none
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"
#include "base/timer.h"
#include "base/worker.h"
#include "wire/ordinals.h"
#include "wire/paths.h"

namespace granary::egress {

// How a connection ended.
enum class Outcome {
  Closed,          // both sides said all
  Broken,          // one side went away
  Idle,            // nothing moved for too long
  Cut,             // the account may not connect there any more
  Stopped,         // the proxy ended
  BadRequest,      // no CONNECT, or none in time
  NotDeclared,     // not in the manifest's list
  AddressRefused,  // the name stands for nothing that may be connected to
  TooMany,         // over a bound
  Unresolved,
  Unreachable,
};
inline constexpr std::size_t kOutcomes = static_cast<std::size_t>(Outcome::Unreachable) + 1;
std::string_view to_string(Outcome outcome);

struct LogEntry {
  std::string_view target;  // as it was asked for
  std::string_view address;
  std::uint64_t bytes_up = 0;
  std::uint64_t bytes_down = 0;
  base::BootTime took{0};
  Outcome outcome = Outcome::Closed;
};

class EgressLog final {
 public:
  struct Parts {  // all outlive the log
    const wire::Paths& paths;
    const base::Clock& clock;
    base::Timer& timer;
    base::Worker& worker;
  };
  explicit EgressLog(Parts parts) : parts_(parts) {}

  void add(const base::AccountId& account, std::uint32_t ordinal, const LogEntry& entry);
  // Nothing is written of these any more, and what was written goes with the next flush.
  void forget(const wire::OrdinalRanges& gone);
  // Writes what was gathered, every kLogPause; ends by cancellation.
  base::Task<void> run();
  // Once: for the end.
  base::Task<void> flush();
  std::uint64_t dropped() const { return dropped_; }  // lines

 private:
  base::Task<void> remove_gone();

  struct Pending {
    std::string account;
    std::string lines;
    std::size_t dropped = 0;
  };

  Parts parts_;
  std::map<std::uint32_t, Pending> pending_;  // by ordinal
  std::size_t bytes_ = 0;                     // gathered or being written
  std::uint64_t dropped_ = 0;
  wire::OrdinalRanges gone_;
  bool removing_ = false;  // files of gone_ may be there
};

}  // namespace granary::egress
