#include <cstdlib>

#include "app/confinement.h"
#include "app/limits.h"
#include "app/role.h"
#include "base/log.h"
#include "base/os/child.h"
#include "base/os/own_address.h"
#include "base/os/process.h"
#include "base/os/system.h"
#include "base/os/unix_listener.h"
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
  for (const std::string& text : config.egress_allow) {
    TRY_ASSIGN(const egress::Network network, egress::Network::parse(text));
    base::log::warn("egress to {} is permitted although it is not of the open internet",
                    network.text());
    options.allowed.push_back(network);
  }
  return options;
}

Task<Result<void>> start(egress::Proxy& proxy, base::os::Fd& listener) {
  CO_TRY(co_await proxy.start(std::move(listener)));
  base::log::info("the way out is open");
  co_return Result<void>();
}

Task<void> stop(egress::Proxy& proxy, egress::SharedResolver& resolver) {
  co_await proxy.close();
  co_await resolver.close();
}

}  // namespace

int egress_main(const Config& config) {
  start_log("egress", config);
  // Unless somebody decided otherwise: a name server that is away holds a lookup's thread for some
  // seconds, not for half a minute.
  ::setenv("RES_OPTIONS", "timeout:2 attempts:2", 0);
  auto options = proxy_options(config);
  // Before the role is confined: from then on it makes no sockets of this kind.
  auto listener = options ? listen(config) : std::unexpected(options.error());
  const auto confined = listener ? confine_egress(config) : std::unexpected(listener.error());
  if (!confined) {
    base::log::error("cannot start: {}", base::describe(confined.error()));
    return kExitFailed;
  }
  base::os::raise_descriptor_limit();
  base::asio::io_context context(1);
  base::os::SystemClock clock;
  base::os::AsioTimer timer;
  base::os::ThreadPool files(1);
  base::os::ThreadPool lookups(kLookupThreads);
  egress::SharedResolver resolver(context.get_executor(), lookups, egress::look_up);
  egress::Proxy proxy(std::move(*options), {.executor = context.get_executor(),
                                            .clock = clock,
                                            .timer = timer,
                                            .worker = files,
                                            .resolver = resolver,
                                            .own_address = base::os::is_own_address});
  return run_role(
      context, [&] { return start(proxy, *listener); }, [&](int) { return stop(proxy, resolver); });
}

}  // namespace granary::app
