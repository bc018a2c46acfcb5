// What `granary verify` does: two throw-away tenants, one attacking the other and the platform from
// inside its silo with granary-attack (src/walls), through the gateway like any client. Both are
// gone afterwards, however it ends. Blocking.
#pragma once

#include <string>
#include <vector>

#include "cli/session.h"

namespace granary::cli {

struct Attempt {
  std::string name;
  std::string topic;
  std::string what;     // what was tried, for people
  std::string outcome;  // held, broken, inapplicable
  std::string answer;   // what the kernel or the platform said
};
base::json::object to_json(const Attempt& attempt);

// `program` is granary-attack; `gateway` HOST:PORT, or empty. Errors: NotFound (no such program),
// and those of the API and of the gateway. A wall that broke is no error here.
base::Result<std::vector<Attempt>> attack(Session& session, const std::string& program,
                                          const std::string& gateway);

}  // namespace granary::cli
