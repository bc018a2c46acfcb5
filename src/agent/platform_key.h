// The key that wraps the key of each account's disk and seals its secrets: one for all, made at the
// very first start. Blocking.
#pragma once

#include "base/sealing_key.h"
#include "wire/paths.h"

namespace granary::agent {

// Made only where no account has anything that was sealed with one: a lost key is not replaced in
// silence. Its folder exists. Errors: DataLoss (lost, or damaged), Refused, NoRoom.
base::Result<std::unique_ptr<base::SealingKey>> open_platform_key(const wire::Paths& paths);

}  // namespace granary::agent
