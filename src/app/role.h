// What the mains of the roles share: an io_context that ends in order on SIGTERM or SIGINT.
#pragma once

#include <functional>

#include "app/config.h"
#include "base/async.h"

namespace granary::app {

// Exit codes of a role's process.
inline constexpr int kExitOk = 0;
inline constexpr int kExitFailed = 1;
inline constexpr int kExitWrongUsage = 2;

// Runs `start`; then waits for SIGTERM or SIGINT; then runs `stop` with its number. Returns the
// exit code. A failed start is logged with its advice, and nothing is stopped.
int run_role(base::asio::io_context& context, std::function<base::Task<base::Result<void>>()> start,
             std::function<base::Task<void>(int)> stop);

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
