#include "agent/agent.h"

#include <csignal>

#include "agent/command_check.h"
#include "agent/host/host_parts.h"
#include "agent/host/precompile.h"
#include "agent/limits.h"
#include "app/belongings.h"
#include "app/hold.h"
#include "app/limits.h"
#include "app/role.h"
#include "base/log.h"
#include "base/os/network.h"
#include "base/os/process.h"
#include "base/os/system.h"

// The agent role: silos on this machine, with the real kernel's parts.
namespace granary::app {

using base::Result;
using base::Task;

namespace {

agent::HostOptions host_options(const Config& config, std::string init_program) {
  agent::HostOptions options{.paths = wire::Paths(config.data_dir)};
  options.isolation =
      config.isolation == Isolation::Full ? agent::Isolation::Full : agent::Isolation::None;
  options.init_program = std::move(init_program);
  options.gateway_gid = gateway_identity(config).gid;
  return options;
}

agent::AgentOptions agent_options(const Config& config) {
  agent::AgentOptions options{.accounts = {.paths = wire::Paths(config.data_dir)}};
  options.accounts.uid_base = account_uid_base(config);
  options.accounts.memory_budget =
      config.memory_budget_bytes != 0 ? config.memory_budget_bytes : agent::default_memory_budget();
  options.accounts.start_places = agent::default_start_places();
  options.accounts.check_command = [](const wire::ServiceSpec& service,
                                      const std::string& release) {
    return agent::check_command(service, release);
  };
  options.control_uid = control_identity(config).uid;
  options.gateway_uid = gateway_identity(config).uid;
  options.prepare_release = [isolation = config.isolation](const std::string& folder) {
    if (isolation == Isolation::None) return Result<void>();
    return agent::precompile_python(folder, agent::kBwrap);
  };
  return options;
}

// Without walls silos share the network of this process; with them nobody needs one here, and the
// sockets that silos are handed must not be of the host's (base/os/network.h).
Result<void> leave_network(const Config& config) {
  return config.isolation == Isolation::Full ? base::os::leave_network() : Result<void>();
}

}  // namespace

int agent_main(const Config& config) {
  start_log("agent", config);
  const base::os::SystemClock clock;
  const auto held = hold_role(config, RoleName::Agent, clock);
  if (!held) return cannot_start(held.error());
  base::os::raise_descriptor_limit();
  base::asio::io_context context(1);
  base::os::AsioTimer timer;
  base::os::SystemRng rng;
  Belongings belongings(timer);
  const auto left = leave_network(config);  // before there are threads
  base::os::ThreadPool worker(kAgentThreads);
  base::os::ThreadPool bulk(agent::kTransfersAtOnce);
  const auto init = left ? init_program() : std::unexpected(left.error());
  auto parts = init ? agent::make_host_parts(host_options(config, *init), context.get_executor(),
                                             clock, worker)
                    : std::unexpected(init.error());
  if (!parts) return cannot_start(parts.error());
  if (auto added = belongings.add(wire::Paths(config.data_dir).board()); !added)
    return cannot_start(added.error());
  agent::AccountsParts use{.executor = context.get_executor(),
                           .clock = clock,
                           .timer = timer,
                           .rng = rng,
                           .worker = worker,
                           .bulk = bulk,
                           .launcher = (*parts)->launcher(),
                           .doors = (*parts)->doors(),
                           .cgroups = (*parts)->cgroups(),
                           .volumes = (*parts)->volumes(),
                           .board = (*parts)->board()};
  agent::Agent agent(agent_options(config), use);
  // An upgrade or a restart (SIGTERM) leaves silos running, for the next agent to adopt. SIGINT,
  // which an orderly end of `granary up` sends, stops them.
  return run_role(
      context, {.start = [&] { return agent.start(); },
                .stop =
                    [&](int number) {
                      return agent.close(number == SIGINT ? agent::Accounts::Silos::Stop
                                                          : agent::Accounts::Silos::LeaveRunning);
                    },
                .until = [&] { return belongings.lost([&] { agent.keep_socket(); }); }});
}

}  // namespace granary::app
