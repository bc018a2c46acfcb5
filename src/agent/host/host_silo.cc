#include "agent/host/host_silo.h"

#include <signal.h>

#include "base/os/process.h"

namespace granary::agent {

base::Result<void> HostSilo::signal(SiloSignal signal) {
  switch (signal) {
    case SiloSignal::Stop:
      return base::os::signal_process(pidfd_.native_handle(), SIGTERM);
    case SiloSignal::Kill:
      return base::os::signal_process(pidfd_.native_handle(), SIGKILL);
  }
  return {};
}

base::Task<base::Result<void>> HostSilo::ended() {
  base::ErrorCode error;
  co_await pidfd_.async_wait(base::asio::posix::stream_descriptor::wait_read, base::into(error));
  if (error) co_return std::unexpected(base::from_asio(error, "waiting for a silo"));
  co_return base::Result<void>();
}

}  // namespace granary::agent
