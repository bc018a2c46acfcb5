#include <cstdlib>

#include "app/belongings.h"
#include "app/confinement.h"
#include "app/hold.h"
#include "app/limits.h"
#include "app/role.h"
#include "base/log.h"
#include "base/os/child.h"
#include "base/os/inherited.h"
#include "base/os/own_address.h"
#include "base/os/process.h"
#include "base/os/system.h"
#include "base/os/tcp_listener.h"
#include "base/os/unix_listener.h"
#include "egress/admin.h"
#include "egress/limits.h"
#include "egress/proxy.h"

// The egress role: the only way out of silos.
namespace granary::app {

using base::Result;
using base::Task;

namespace {

// Anybody who sees it may connect: the folder is shown to silos that declare egress alone, and who
// connects is told by the kernel.
Result<base::os::Fd> listen(const Config& config) {
  return base::os::listen_unix(wire::Paths(config.data_dir).egress_socket(),
                               {.mode = 0666,
                                .owner = {base::os::own_uid(), base::os::own_gid()},
                                .backlog = egress::kBacklog});
}

Result<egress::ProxyOptions> proxy_options(const Config& config) {
  egress::ProxyOptions options{.paths = wire::Paths(config.data_dir)};
  options.uid_base = account_uid_base(config);
  options.control_uid = control_identity(config).uid;
  for (const std::string& text : config.egress_allow) {
    TRY_ASSIGN(const egress::Network network, egress::Network::parse(text));
    base::log::warn("egress to {} is permitted although it is not of the open internet",
                    network.text());
    options.allowed.push_back(network);
  }
  return options;
}

// Of metrics: passed on by whoever keeps it (`granary up`), or made here.
Result<base::os::Fd> admin_listener(const Config& config) {
  TRY_ASSIGN(auto inherited, base::os::take_inherited());
  auto passed = inherited.extract(kEgressAdminListener);
  if (passed) return std::move(passed.mapped());
  if (!config.egress_admin) return base::os::Fd();
  return base::os::listen_tcp(config.egress_admin->address, config.egress_admin->port,
                              egress::kAdminBacklog);
}

// Where silos connect, and where metrics are; closed: nowhere.
struct Listeners {
  base::os::Fd silos;
  base::os::Fd admin;
};

Result<Listeners> listen_all(const Config& config) {
  Listeners listeners;
  TRY_ASSIGN(listeners.admin, admin_listener(config));
  TRY_ASSIGN(listeners.silos, listen(config));
  return listeners;
}

Task<Result<void>> start(egress::Proxy& proxy, egress::Admin& admin, Listeners& listeners) {
  CO_TRY(co_await proxy.start(std::move(listeners.silos)));
  base::log::info("the way out is open");
  if (!listeners.admin) co_return Result<void>();
  CO_TRY(admin.start(std::move(listeners.admin)));
  base::log::info("the egress's metrics are on port {}", *admin.port());
  co_return Result<void>();
}

Task<void> stop(egress::Proxy& proxy, egress::Admin& admin, egress::SharedResolver& resolver) {
  co_await admin.close();
  co_await proxy.close();
  co_await resolver.close();
}

}  // namespace

int egress_main(const Config& config) {
  start_log("egress", config);
  // Unless somebody decided otherwise: a name server that is away holds a lookup's thread for some
  // seconds, not for half a minute.
  ::setenv("RES_OPTIONS", "timeout:2 attempts:2", 0);
  const base::os::SystemClock clock;
  const auto held = hold_role(config, RoleName::Egress, clock);
  auto options = held ? proxy_options(config) : std::unexpected(held.error());
  // Before the role is confined: from then on it makes no sockets of this kind.
  base::os::AsioTimer timer;
  auto listeners = options ? listen_all(config) : std::unexpected(options.error());
  Belongings belongings(timer);
  const auto added = listeners ? belongings.add(wire::Paths(config.data_dir).egress_socket())
                               : std::unexpected(listeners.error());
  const auto confined = added ? confine_egress(config) : std::unexpected(added.error());
  if (!confined) return cannot_start(confined.error());
  base::os::raise_descriptor_limit();
  base::asio::io_context context(1);
  base::os::ThreadPool files(1);
  base::os::ThreadPool lookups(kLookupThreads);
  egress::SharedResolver resolver(context.get_executor(), lookups, egress::look_up);
  egress::Proxy proxy(std::move(*options), {.executor = context.get_executor(),
                                            .clock = clock,
                                            .timer = timer,
                                            .worker = files,
                                            .resolver = resolver,
                                            .own_address = base::os::is_own_address});
  egress::Admin admin(proxy, timer, context.get_executor());
  return run_role(context, {.start = [&] { return start(proxy, admin, *listeners); },
                            .stop = [&](int) { return stop(proxy, admin, resolver); },
                            .until = [&] { return belongings.lost(); }});
}

}  // namespace granary::app
