// Whether the other roles are there, and how much room there is: for /readyz, /metrics and `granary
// status`. Asks each as its clients would, all at once, and remembers when each has last answered.
// Lives on control's executor; calls that come while it asks share the answer.
#pragma once

#include <functional>

#include "api/parts.h"
#include "app/config.h"
#include "base/event.h"
#include "cloud/driver.h"

namespace granary::app {

// One that is asked.
struct WatchedRole {
  std::string name;    // "the agent"
  std::string effect;  // of its absence
  std::function<base::Task<base::Result<void>>(std::chrono::nanoseconds deadline)> ask;
  std::function<bool()> needed = [] { return true; };
  std::optional<base::WallTime> answered = std::nullopt;  // the last time
};

struct WatchedRoles {
  WatchedRole agent;
  WatchedRole gateway;
  WatchedRole egress;
};

// `egress_in_use`: whether the egress role is needed just now.
WatchedRoles roles_to_watch(const Config& config, std::function<bool()> egress_in_use);

class PlatformWatch final : public api::Platform {
 public:
  struct Parts {  // all outlive it
    base::Worker& worker;
    const base::Clock& clock;
    base::Timer& timer;
  };
  PlatformWatch(base::asio::any_io_executor executor, Parts parts, WatchedRoles roles,
                std::string data_dir);

  base::Task<api::PlatformState> look() override;
  // Errors: Unavailable, with the sentence that look() has for it.
  base::Task<base::Result<void>> agent_answers();
  // Resolves when a look finds the agent away, with that sentence.
  base::Task<base::Error> agent_away() override;
  // Looks again and again, so that what is told of an absence is when it began. Ends when it is
  // cancelled.
  base::Task<void> run();

 private:
  // Asks until it answers, or kAwayAfter is over. Resolves to a sentence when it does not.
  base::Task<std::string> insist(WatchedRole& role);
  base::Task<api::PlatformState> look_now();
  base::Task<void> ask_all(api::PlatformState& state);

  Parts parts_;
  WatchedRoles roles_;
  std::string data_dir_;
  api::PlatformState last_;
  std::string agent_away_;                // of the last look; empty: it answers
  std::optional<base::BootTime> looked_;  // when last_ was found
  bool looking_ = false;                  // progress: true => a caller is in look_now()
  base::Event found_;
};

// All accounts of the one cloud that is set up so far. A list ends when the agent does not answer
// any more, however long its own deadline is.
class HostFleet final : public api::Fleet {
 public:
  // The driver's own.
  using List = std::function<base::Task<base::Result<cloud::Page>>(std::string, std::uint32_t)>;
  // `watch` outlives it.
  HostFleet(List list, PlatformWatch& watch) : list_(std::move(list)), watch_(watch) {}
  base::Task<base::Result<cloud::Page>> list(std::string after, std::uint32_t limit) override;

 private:
  base::Task<base::Result<cloud::Page>> list_once(std::string after, std::uint32_t limit);
  List list_;
  PlatformWatch& watch_;
};

}  // namespace granary::app
