// What the operator's tools ask the gateway: /healthz (it runs), /readyz (it has a snapshot, and an
// agent) and /metrics (Prometheus' text format). On an address of its own, which tenants cannot
// reach.
#pragma once

#include <string>

#include "gateway/core.h"

namespace granary::gateway {

// Serves one connection, one request. `core` outlives it.
Coro<void> serve_admin(const Core& core, Sweeper& sweeper, TcpSocket socket);

// The status and the body for a path. Pure.
struct AdminAnswer {
  int status = 404;
  std::string body;
};
AdminAnswer answer_admin(const Core& core, std::string_view path);

}  // namespace granary::gateway
