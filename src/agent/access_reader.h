// Reads the access log that the gateway writes of an account (gateway/access_log.h): a file, and
// the one that it took the place of. Blocking; stateless; goes on reading while they turn.
#pragma once

#include "agent/log_reader.h"

namespace granary::agent {

// As read_log(). The cursor: 31 bits of which file it is * 2^32 + offset.
base::Result<LogLines> read_access_log(const wire::Paths& paths, const base::AccountId& account,
                                       std::uint32_t ordinal, std::uint64_t cursor);

}  // namespace granary::agent
