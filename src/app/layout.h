// Makes the data directory's tree with its owners and modes (wire/paths.h draws it). Idempotent;
// run by `up` before any role starts. Blocking.
#pragma once

#include "app/config.h"

namespace granary::app {

// Errors: InvalidArgument: not an absolute path.
base::Result<void> check_data_dir(const Config& config);
// Errors: InvalidArgument: users from `uid_base` on are, or may become, somebody else's. `passwd`
// is the text of /etc/passwd. Pure.
base::Result<void> check_users(std::uint32_t uid_base, std::string_view passwd);
// The same of this machine, for an installation that is new; one that is there keeps its users.
base::Result<void> check_uid_base(const Config& config);
// Makes the data directory itself, where there is none. Errors: InvalidArgument: not an absolute
// path, a folder with other things in it, or a data directory of another --uid-base.
base::Result<void> open_data_dir(const Config& config);
// The topmost folder that is to be made for it; empty: it is there, or no data directory.
std::string first_new_folder(const Config& config);
// Takes away what an `up` made that came to nothing: empty folders alone, down to `first`, which
// first_new_folder() gave before. Whatever holds anything stays.
void remove_empty_layout(const Config& config, const std::string& first);
// All of it, with open_data_dir() first. Errors: also Refused, NoRoom.
base::Result<void> prepare_layout(const Config& config);

}  // namespace granary::app
