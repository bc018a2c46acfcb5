// What a filter says of system calls that are newer than libseccomp: it knows no names for them and
// would refuse all with one answer. A few instructions that run before its program.
#pragma once

#include <linux/filter.h>

#include <cstdint>
#include <vector>

namespace granary::agent {

// Calls from this number on, the same on all architectures, are told apart by number: the
// libseccomp of a stable distribution does not know their names. Those that are not listed answer
// ENOSYS, as from a kernel without them, so that a library takes the older call that it has for
// such kernels; after EPERM it would give up.
inline constexpr std::uint32_t kFirstNewCall = 451;

enum class NewCall {
  Allowed,
  Refused,  // EPERM: no application asks for it, and it tells or changes what is not a silo's
};
struct NewCallRule {
  std::uint32_t number;
  NewCall rule;
};
inline constexpr NewCallRule kNewCalls[] = {
    {451, NewCall::Allowed},  // cachestat
    {452, NewCall::Allowed},  // fchmodat2
    {454, NewCall::Allowed},  // futex_wake
    {455, NewCall::Allowed},  // futex_wait
    {456, NewCall::Allowed},  // futex_requeue
    {457, NewCall::Refused},  // statmount
    {458, NewCall::Refused},  // listmount
    {459, NewCall::Refused},  // lsm_get_self_attr
    {460, NewCall::Refused},  // lsm_set_self_attr
    {461, NewCall::Refused},  // lsm_list_modules
    {462, NewCall::Allowed},  // mseal
    {463, NewCall::Allowed},  // setxattrat
    {464, NewCall::Allowed},  // getxattrat
    {465, NewCall::Allowed},  // listxattrat
    {466, NewCall::Allowed},  // removexattrat
};

// `architecture` as in seccomp_data. Calls of another, and those below kFirstNewCall, go on into
// the program that follows.
std::vector<sock_filter> new_calls_prologue(std::uint32_t architecture);

}  // namespace granary::agent
