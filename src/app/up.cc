#include <csignal>
#include <iostream>

#include "app/ask_agent.h"
#include "app/hold.h"
#include "app/layout.h"
#include "app/limits.h"
#include "app/role.h"
#include "app/supervisor.h"
#include "base/log.h"
#include "base/os/child.h"
#include "base/os/inherited.h"
#include "base/os/process.h"
#include "base/os/system.h"
#include "base/os/tcp_listener.h"
#include "gateway/gateway.h"
#include "gateway/limits.h"
#include "wire/room.h"

// `granary up`: prepares the data directory, then supervises agent, control, egress and gateway.
namespace granary::app {

using base::Result;
using base::Task;

namespace {

class ChildProcess final : public Process {
 public:
  ChildProcess(std::unique_ptr<base::os::Child> child, int stop_signal)
      : child_(std::move(child)), stop_signal_(stop_signal) {}
  int pid() const override { return child_->pid(); }
  Task<Result<int>> wait() override { return child_->wait(); }
  void terminate() override { report(child_->signal(stop_signal_)); }
  void kill() override { report(child_->signal(SIGKILL)); }

 private:
  static void report(const Result<void>& sent) {
    if (!sent) base::log::warn("{}", base::describe(sent.error()));
  }
  std::unique_ptr<base::os::Child> child_;
  int stop_signal_;
};

// The roles' TCP listeners but the API's: made here before any role starts, and kept while a role
// is away, so that the kernel holds what connects meanwhile until the next one takes it. As root
// the gateway itself then needs no network, which matters for the sockets between it and the silos
// (base/os/network.h).
Result<base::os::InheritedFds> open_listeners(const Config& config) {
  TRY_ASSIGN(auto listeners, base::os::take_inherited());
  const auto open = [&](const char* name, const Endpoint& endpoint) -> Result<void> {
    if (listeners.contains(name)) return {};
    TRY_ASSIGN(listeners[name],
               base::os::listen_tcp(endpoint.address, endpoint.port, gateway::kBacklog));
    return {};
  };
  // Control opens its own, so that the API is refused at once while control is away. That it can is
  // tried here.
  TRY(base::os::listen_tcp(config.api.address, config.api.port, 1));
  TRY(open(gateway::kHttpListener, config.gateway));
  if (config.gateway_tls) TRY(open(gateway::kHttpsListener, *config.gateway_tls));
  if (config.gateway_admin) TRY(open(gateway::kAdminListener, *config.gateway_admin));
  if (config.egress_admin) TRY(open(kEgressAdminListener, *config.egress_admin));
  return listeners;
}

struct RoleProcess {
  std::string name;
  std::optional<base::os::Ownership> identity;  // nothing: as this process
  base::os::ChildOptions::Network network = base::os::ChildOptions::Network::Shared;
  std::vector<base::os::PassedFd> listeners = {};
};

// As root each role gets its own user; otherwise the agent alone goes through sudo.
Role make_role(const base::asio::any_io_executor& executor, const std::string& program,
               const Config& config, const RoleProcess& role) {
  base::os::ChildOptions options;
  const bool agent = role.name == "agent";
  const bool through_sudo = agent && !base::os::is_root();
  if (through_sudo) {
    options.argv = {"/usr/bin/sudo", "-n", "--"};
    options.privileges = base::os::ChildOptions::Privileges::May;
  }
  options.argv.push_back(program);
  options.argv.push_back(role.name);
  for (std::string& argument : role_arguments(config)) options.argv.push_back(std::move(argument));
  // The agent needs no_new_privs off: a silo's launcher becomes another user itself.
  if (agent) options.privileges = base::os::ChildOptions::Privileges::May;
  options.identity = role.identity;
  options.parent_death_signal = SIGTERM;
  options.descriptors = role.listeners;
  options.network = role.network;
  // Not through sudo, which passes signals on itself.
  if (!through_sudo) options.signals = base::os::ChildOptions::Signals::Held;
  // An orderly end of `up` ends the silos as well; a crash of it (the parent death signal, or a
  // kill of the agent alone) does not.
  const int stop_signal = agent ? SIGINT : SIGTERM;
  const auto start = [executor, options, stop_signal,
                      config]() -> Result<std::unique_ptr<Process>> {
    TRY(prepare_layout(config));  // what was removed meanwhile
    TRY_ASSIGN(auto child, base::os::Child::start(executor, options));
    return std::make_unique<ChildProcess>(std::move(child), stop_signal);
  };
  if (!agent) return {.name = role.name, .start = start};
  const std::string socket = wire::Paths(config.data_dir).agent_socket();
  return {.name = role.name, .start = start, .at_end = AtEnd::Clear, .ask = [socket] {
            return ask_agent(socket, kAskDeadline);
          }};
}

// `listeners` outlive the roles.
std::vector<Role> make_roles(const base::asio::any_io_executor& executor,
                             const std::string& program, const Config& config,
                             const base::os::InheritedFds& listeners) {
  using Network = base::os::ChildOptions::Network;
  const bool root = base::os::is_root();
  const auto as = [root](base::os::Ownership who) {
    return root ? std::optional(who) : std::nullopt;
  };
  RoleProcess agent{.name = "agent", .identity = std::nullopt};
  RoleProcess control{.name = "control", .identity = as(control_identity(config))};
  RoleProcess egress{.name = "egress", .identity = as(egress_identity(config))};
  RoleProcess gateway{.name = "gateway",
                      .identity = as(gateway_identity(config)),
                      .network = root ? Network::None : Network::Shared};
  for (const auto& [name, fd] : listeners) {
    RoleProcess& role = name == kEgressAdminListener ? egress : gateway;
    role.listeners.push_back({name, fd.get()});
  }
  std::vector<Role> roles;
  for (const RoleProcess* role : {&agent, &control, &egress, &gateway})
    roles.push_back(make_role(executor, program, config, *role));
  return roles;
}

// Asked as root, whose silos they will be: of this process, or through sudo.
Result<void> check_isolation(const Config& config, const std::string& program) {
  if (config.isolation == Isolation::None) {
    base::log::warn(
        "--isolation none: tenants are NOT isolated from each other; for trying out "
        "only, never with data of customers");
    return {};
  }
  std::vector<std::string> argv = {program, "doctor", "--data-dir", config.data_dir};
  if (!base::os::is_root()) argv.insert(argv.begin(), {"/usr/bin/sudo", "-n", "--"});
  TRY_ASSIGN(const base::os::ProgramEnd end, base::os::run_program(argv, kDoctorDeadline));
  if (end.exit_code == kExitOk) return {};
  return base::fail_with_advice(
      base::Code::NotSupported,
      "this machine cannot isolate tenants from each other:\n" + end.output,
      "Add what is missing (granary doctor says how), or try the product out with --isolation "
      "none, "
      "which does not isolate tenants");
}

// What the roles cannot start without, or would fill at once.
Result<void> check_disk(const Config& config) {
  TRY_ASSIGN(const std::uint64_t free, base::os::free_bytes(config.data_dir));
  if (free >= wire::kLeastRoom) return {};
  return base::fail_with_advice(
      base::Code::NoRoom,
      fmt::format("the disk of {} is full: {} MiB are free, and {} are needed to start",
                  config.data_dir, free >> 20, wire::kLeastRoom >> 20),
      "Make room on it: remove archives/, or what else lies on that disk");
}

struct Prepared {
  Held held;
  base::os::InheritedFds listeners;
};

// In this order: nothing is changed in a directory that is not ours, or that somebody runs on, and
// the listeners of an `up` that was killed are free once its gateway has ended.
Result<Prepared> prepare(const Config& config, const base::Clock& clock) {
  Prepared prepared;
  TRY(check_data_dir(config));
  TRY(check_uid_base(config));
  // Before anything is said of the directory or of an option: whoever runs on it has it, with
  // whatever options. One that cannot be held for another reason is judged below.
  if (base::os::exists(config.data_dir)) {
    auto held = hold_directory(config, clock);
    if (!held && held.error().code == base::Code::Conflict) return std::unexpected(held.error());
    if (held) prepared.held = *std::move(held);
  }
  TRY(open_data_dir(config));
  if (prepared.held.empty()) {
    TRY_ASSIGN(prepared.held, hold_directory(config, clock));
  }
  TRY(prepare_layout(config));
  TRY(await_leftovers(config, clock));
  TRY(check_disk(config));
  TRY_ASSIGN(prepared.listeners, open_listeners(config));
  return prepared;
}

}  // namespace

int up_main(const Config& config) {
  start_log("up", config);
  const base::os::SystemClock clock;
  const std::string first = first_new_folder(config);
  const auto program = base::os::own_program();
  auto prepared = program ? prepare(config, clock) : std::unexpected(program.error());
  if (!prepared) {
    remove_empty_layout(config, first);
    return cannot_start(prepared.error());
  }
  if (const Result<void> able = check_isolation(config, *program); !able) {
    remove_empty_layout(config, first);
    // Not through the log, which would fold its lines.
    std::cerr << "granary: " << base::describe(able.error()) << "\n";
    return exit_code_of(able.error());
  }
  base::asio::io_context context(1);
  base::os::AsioTimer timer;
  base::os::InheritedFds& listeners = prepared->listeners;
  Supervisor supervisor(context.get_executor(), clock, timer,
                        make_roles(context.get_executor(), *program, config, listeners));
  return run_role(context, {.start = [&] { return supervisor.start(); },
                            .stop =
                                [&](int) {
                                  // Nobody would take what connects from now on.
                                  listeners.clear();
                                  return supervisor.stop();
                                },
                            .until = [&] { return supervisor.given_up(); }});
}

}  // namespace granary::app
