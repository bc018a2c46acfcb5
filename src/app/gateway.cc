#include "gateway/gateway.h"

#include "app/belongings.h"
#include "app/confinement.h"
#include "app/hold.h"
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

// What a start works on; all outlive it.
struct Starting {
  gateway::Gateway& gateway;
  base::Timer& timer;
  base::os::InheritedFds& inherited;
  base::TaskGroup& tasks;
  Belongings& belongings;
  std::string board;
};

Task<Result<void>> start(Starting with) {
  gateway::Gateway& gateway = with.gateway;
  CO_TRY(co_await open_when_ready(gateway, with.timer, with.inherited));
  CO_TRY(with.belongings.add(with.board));
  with.tasks.spawn("gateway", gateway.run());
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
  base::os::SystemClock clock;
  const auto held = hold_role(config, RoleName::Gateway, clock);
  auto inherited = held ? base::os::take_inherited() : std::unexpected(held.error());
  const auto confined = inherited ? confine_gateway(config) : std::unexpected(inherited.error());
  if (!confined) return cannot_start(confined.error());
  base::os::raise_descriptor_limit();
  base::asio::io_context context(BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO);
  base::os::AsioTimer timer;
  base::os::SystemRng rng;
  base::os::ThreadPool worker(1);
  gateway::Gateway gateway(context, gateway_options(config), {clock, timer, rng, worker});
  base::TaskGroup tasks(context.get_executor());
  Belongings belongings(timer);
  const Starting with{gateway, timer,      *inherited,
                      tasks,   belongings, wire::Paths(config.data_dir).board()};
  return run_role(context, {.start = [&] { return start(with); },
                            .stop = [&](int) { return stop(gateway, tasks); },
                            .until = [&] { return belongings.lost(); }});
}

}  // namespace granary::app
