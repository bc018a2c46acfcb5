// Whether the other roles are there, and how much room there is: for /readyz, /metrics and `granary
// status`. Asks each as its clients would. Lives on control's executor; calls that come while it
// asks share the answer.
#pragma once

#include <functional>

#include "api/parts.h"
#include "app/config.h"
#include "base/event.h"

namespace granary::app {

class PlatformWatch final : public api::Platform {
 public:
  struct Parts {  // all outlive it
    base::Worker& worker;
    const base::Clock& clock;
    base::Timer& timer;
    // Whether the egress role is needed just now.
    std::function<bool()> egress_in_use;
  };
  PlatformWatch(base::asio::any_io_executor executor, Parts parts, const Config& config);

  base::Task<api::PlatformState> look() override;

 private:
  using Ask = base::Task<base::Result<void>> (PlatformWatch::*)();
  // Asks until it answers, or kAwayAfter is over.
  base::Task<base::Result<void>> insist(Ask ask);
  base::Task<base::Result<void>> ask_the_agent();
  base::Task<base::Result<void>> ask_the_gateway();
  base::Task<base::Result<void>> ask_the_egress();
  base::Task<api::PlatformState> look_now();

  Parts parts_;
  Config config_;
  wire::Paths paths_;
  api::PlatformState last_;
  std::optional<base::BootTime> looked_;  // when last_ was found
  bool looking_ = false;                  // progress: true => a caller is in look_now()
  base::Event found_;
};

}  // namespace granary::app
