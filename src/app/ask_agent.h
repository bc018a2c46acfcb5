// Whether an agent serves: a ping over a connection of its own, by anyone who may give it orders
// (root, control). Lives on the caller's executor.
#pragma once

#include <chrono>
#include <string>

#include "base/async.h"

namespace granary::app {

// Errors: Unavailable (nobody listens), Deadline, and what else keeps it from answering.
base::Task<base::Result<void>> ask_agent(std::string socket, std::chrono::nanoseconds deadline);

}  // namespace granary::app
