// From the registry's rows to what a cloud is asked for. Pure functions over rows; internal to
// this room.
#pragma once

#include <string>
#include <vector>

#include "cloud/driver.h"
#include "registry/account.h"
#include "registry/release_row.h"

namespace granary::lifecycle {

// What the account is to be now, from its row, its release's manifest and its slots. Errors:
// NotFound, DataLoss (a manifest that cannot be read back).
base::Result<cloud::Desired> desired_of(store::Transaction& tx, const registry::Account& account);

// Takes or frees slots so that each service of the release has one.
base::Result<void> take_slots(store::Transaction& tx, const base::AccountId& id,
                              const std::string& release_hash);

// The paths that are asked for after a deployment: the health path of every service that has one
// and is reachable by a route.
base::Result<std::vector<std::string>> health_paths(const std::string& manifest);

}  // namespace granary::lifecycle
