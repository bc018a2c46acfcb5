// A running silo of this machine, held by its first process's pidfd. See agent/silo_launcher.h.
#pragma once

#include <boost/asio/posix/stream_descriptor.hpp>

#include "agent/silo_launcher.h"

namespace granary::agent {

class HostSilo final : public Silo {
 public:
  HostSilo(const base::asio::any_io_executor& executor, int pid, base::os::Fd pidfd)
      : pid_(pid), pidfd_(executor, pidfd.release()) {}

  int pid() const override { return pid_; }
  int pidfd() { return pidfd_.native_handle(); }
  base::Result<void> signal(SiloSignal signal) override;
  base::Task<base::Result<void>> ended() override;

 private:
  int pid_;
  base::asio::posix::stream_descriptor pidfd_;
};

}  // namespace granary::agent
