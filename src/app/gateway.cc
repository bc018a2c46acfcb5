#include "gateway/gateway.h"

#include "app/confinement.h"
#include "app/limits.h"
#include "app/role.h"
#include "base/log.h"
#include "base/os/inherited.h"
#include "base/os/process.h"
#include "base/os/system.h"
#include "base/task_group.h"

// The gateway role: all tenant traffic.
namespace granary::app {

using base::Result;
using base::Task;

namespace {

gateway::GatewayOptions gateway_options(const Config& config) {
  gateway::GatewayOptions options{.paths = wire::Paths(config.data_dir)};
  options.listen = {config.gateway.address, config.gateway.port};
  if (config.gateway_admin)
    options.admin = gateway::Endpoint{config.gateway_admin->address, config.gateway_admin->port};
  if (config.gateway_tls) {
    options.tls = gateway::TlsOptions{
        .listen = {config.gateway_tls->address, config.gateway_tls->port},
        .certificates = config.certificates,
        .redirect = config.redirect_to_https == Redirect::On ? gateway::Redirect::On
                                                             : gateway::Redirect::Off};
  }
  return options;
}

// The agent makes the activity board; it may still be starting.
Task<Result<void>> open_when_ready(gateway::Gateway& gateway, base::Timer& timer,
                                   base::os::InheritedFds& inherited) {
  for (auto left = kBoardPatience;; left -= kBoardLook) {
    Result<void> opened = gateway.open(inherited);
    const bool missing = !opened && opened.error().code == base::Code::NotFound;
    if (!missing || left <= left.zero()) co_return opened;
    CO_TRY(co_await timer.sleep(kBoardLook));
  }
}

Task<Result<void>> start(gateway::Gateway& gateway, base::Timer& timer,
                         base::os::InheritedFds& inherited, base::TaskGroup& tasks) {
  CO_TRY(co_await open_when_ready(gateway, timer, inherited));
  tasks.spawn("gateway", gateway.run());
  base::log::info("the gateway listens on port {}", gateway.listening().port);
  if (const auto tls = gateway.tls_listening())
    base::log::info("the gateway listens for TLS on port {}", tls->port);
  if (const auto admin = gateway.admin_listening())
    base::log::info("the gateway's metrics are on port {}", admin->port);
  co_return Result<void>();
}

Task<void> stop(gateway::Gateway& gateway, base::TaskGroup& tasks) {
  co_await gateway.close();
  co_await tasks.close();
}

}  // namespace

int gateway_main(const Config& config) {
  start_log("gateway", config);
  auto inherited = base::os::take_inherited();
  const auto confined = inherited ? confine_gateway(config) : std::unexpected(inherited.error());
  if (!confined) {
    base::log::error("cannot start: {}", base::describe(confined.error()));
    return kExitFailed;
  }
  base::os::raise_descriptor_limit();
  base::asio::io_context context(BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO);
  base::os::SystemClock clock;
  base::os::AsioTimer timer;
  base::os::SystemRng rng;
  base::os::ThreadPool worker(1);
  gateway::Gateway gateway(context, gateway_options(config), {clock, timer, rng, worker});
  base::TaskGroup tasks(context.get_executor());
  return run_role(
      context, [&] { return start(gateway, timer, *inherited, tasks); },
      [&](int) { return stop(gateway, tasks); });
}

}  // namespace granary::app
