// The files that every silo shares, made when the agent starts: granary-init, a small /etc, the
// folder that disks are mounted on. Blocking.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "wire/paths.h"

namespace granary::agent {

// `init_program` is copied, so that silos reach it wherever it is installed.
// Errors: NotFound (no such program), Refused.
base::Result<void> make_sandbox_files(const wire::Paths& paths, const std::string& init_program);

// Files of that /etc which are a silo's own, and not this machine's.
std::vector<std::string> own_etc_files();

// Whether any user may pass through all folders above `path`, as a silo's own user must.
// Errors: Refused, naming the folder.
base::Result<void> check_passage(const std::string& path);

}  // namespace granary::agent
