// Access lists of files and folders in data archives: the kernel's form of a POSIX ACL, as the
// attribute that it is, but for one thing. An account has one user, whose number differs from
// account to account; so named entries are the account's own and have the number 0. Pure functions.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

#include "base/result.h"

namespace granary::wire {

inline constexpr std::string_view kAccessList = "system.posix_acl_access";
inline constexpr std::string_view kDefaultList = "system.posix_acl_default";

bool is_acl_name(std::string_view name);
// In the form that archives have it: each tag once.
bool is_data_acl(std::string_view value);

struct AccountIds {
  uid_t uid = 0;
  gid_t gid = 0;
};
struct PackedAcl {
  std::string value;         // empty: there is nothing to keep
  bool others_left = false;  // entries of other users were dropped
};
// As the kernel gives it, into an archive's. What is no list at all is nothing to keep.
PackedAcl acl_to_archive(std::string_view value, AccountIds owner);
// And back, as the kernel takes it. `value` is_data_acl.
std::string acl_from_archive(std::string_view value, AccountIds owner);

}  // namespace granary::wire
