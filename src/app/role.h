// What the mains of the roles share: an io_context that ends in order on SIGTERM or SIGINT.
#pragma once

#include <functional>

#include "app/config.h"
#include "base/async.h"

namespace granary::app {

// Exit codes of `up` and of a role's process: those of the command line.
inline constexpr int kExitOk = 0;
inline constexpr int kExitFailed = 1;
// As it is configured, or as its files are, another start would end the same way.
inline constexpr int kExitWrongUsage = 2;
inline constexpr int kExitRefused = 4;  // somebody else has the data directory, or an address
inline constexpr int kExitAway = 5;     // what it works with was removed: a new start mends it
int exit_code_of(const base::Error& error);
// Says why it cannot start, in one sentence and with its advice; the exit code.
int cannot_start(const base::Error& error);

struct RoleMain {
  std::function<base::Task<base::Result<void>>()> start;
  // With the signal that ended it; SIGTERM where it ended by itself.
  std::function<base::Task<void>(int)> stop;
  // Resolves when it is to end by itself, with the exit code; cancelled at a signal. Empty: never.
  std::function<base::Task<int>()> until = {};
};
// Runs `start`; then waits for SIGTERM, SIGINT or `until`; then runs `stop`. Returns the exit code.
// A failed start is logged with its advice, and nothing is stopped. SIGHUP changes nothing.
int run_role(base::asio::io_context& context, RoleMain role);

// granary-init, beside the running program. Errors: NotFound.
base::Result<std::string> init_program();

// What the egress role's listener for metrics is called where it is inherited.
inline constexpr const char* kEgressAdminListener = "egress-admin";

// The role's log, at the level of the configuration.
void start_log(const char* role, const Config& config);

int control_main(const Config& config);
int gateway_main(const Config& config);
int egress_main(const Config& config);
int agent_main(const Config& config);
int up_main(const Config& config);
int doctor_main(const Config& config);

}  // namespace granary::app
