// What is broken of an account's disk, as far as it can be told without opening it. Pure.
#pragma once

#include <string>

#include "agent/volumes.h"

namespace granary::agent {

// For people; empty: nothing. `promised`: bytes of the disk of the account's spec.
std::string problem_of(const base::Result<DiskUse>& use, std::uint64_t promised);

}  // namespace granary::agent
