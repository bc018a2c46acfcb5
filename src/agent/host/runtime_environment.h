// What runtimes are told by environment variables, since they do not find it out by themselves.
// Most read their limits from their control group, which a silo sees (host/silo_limits.h). Pure.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "wire/account_state.h"

namespace granary::agent {

using Variables = std::vector<std::pair<std::string, std::string>>;

// Of a machine with so many cores. A manifest's own `env` goes before them.
Variables runtime_variables(const wire::Limits& limits, unsigned cores);

}  // namespace granary::agent
