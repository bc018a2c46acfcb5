// What a filter says of system calls that are newer than libseccomp: it knows no names for them and
// would refuse all with one answer. A few instructions that run before its program.
#pragma once

#include <linux/filter.h>

#include <cstdint>
#include <vector>

namespace granary::agent {

// `architecture` as in seccomp_data. Calls of another, and those below kFirstNewCall, go on into
// the program that follows.
std::vector<sock_filter> new_calls_prologue(std::uint32_t architecture);

}  // namespace granary::agent
