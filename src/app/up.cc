#include <csignal>
#include <iostream>

#include "app/layout.h"
#include "app/limits.h"
#include "app/role.h"
#include "app/supervisor.h"
#include "base/log.h"
#include "base/os/child.h"
#include "base/os/process.h"
#include "base/os/system.h"

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

// As root each role gets its own user; otherwise the agent alone goes through sudo.
Role make_role(const base::asio::any_io_executor& executor, const std::string& name,
               const std::string& program, const Config& config,
               std::optional<base::os::Ownership> identity) {
  base::os::ChildOptions options;
  const bool through_sudo = name == "agent" && !base::os::is_root();
  if (through_sudo) {
    options.argv = {"/usr/bin/sudo", "-n", "--"};
    options.privileges = base::os::ChildOptions::Privileges::May;
  }
  options.argv.push_back(program);
  options.argv.push_back(name);
  for (std::string& argument : role_arguments(config)) options.argv.push_back(std::move(argument));
  // The agent needs no_new_privs off: a silo's launcher becomes another user itself.
  if (name == "agent") options.privileges = base::os::ChildOptions::Privileges::May;
  options.identity = identity;
  options.parent_death_signal = SIGTERM;
  // Not through sudo, which passes signals on itself.
  if (!through_sudo) options.signals = base::os::ChildOptions::Signals::Held;
  // An orderly end of `up` ends the silos as well; a crash of it (the parent death signal, or a
  // kill of the agent alone) does not.
  const int stop_signal = name == "agent" ? SIGINT : SIGTERM;
  return {name,
          [executor, options, stop_signal]() -> Result<std::unique_ptr<Process>> {
            TRY_ASSIGN(auto child, base::os::Child::start(executor, options));
            return std::make_unique<ChildProcess>(std::move(child), stop_signal);
          },
          name == "agent" ? AtEnd::Clear : AtEnd::Nothing};
}

std::vector<Role> make_roles(const base::asio::any_io_executor& executor,
                             const std::string& program, const Config& config) {
  const bool root = base::os::is_root();
  const auto as = [root](base::os::Ownership who) {
    return root ? std::optional(who) : std::nullopt;
  };
  return {make_role(executor, "agent", program, config, std::nullopt),
          make_role(executor, "control", program, config, as(control_identity(config))),
          make_role(executor, "egress", program, config, as(egress_identity(config))),
          make_role(executor, "gateway", program, config, as(gateway_identity(config)))};
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
      "Mend what is missing (granary doctor), or use --isolation none, which has no walls");
}

}  // namespace

int up_main(const Config& config) {
  start_log("up", config);
  const auto program = base::os::own_program();
  const Result<void> prepared = program ? prepare_layout(config) : std::unexpected(program.error());
  if (!prepared) {
    base::log::error("cannot start: {}", base::describe(prepared.error()));
    return kExitFailed;
  }
  if (const Result<void> walls = check_isolation(config, *program); !walls) {
    // Not through the log, which would fold its lines.
    std::cerr << "granary: " << base::describe(walls.error()) << "\n";
    return kExitFailed;
  }
  base::asio::io_context context(1);
  base::os::SystemClock clock;
  base::os::AsioTimer timer;
  Supervisor supervisor(context.get_executor(), clock, timer,
                        make_roles(context.get_executor(), *program, config));
  return run_role(
      context, [&] { return supervisor.start(); }, [&](int) { return supervisor.stop(); });
}

}  // namespace granary::app
