// Makes a release of a folder on this machine: packs it, sends it, waits for what control makes of
// it. Used by `release create` and by `verify`.
#pragma once

#include <string>

#include "cli/session.h"

namespace granary::cli {

// `name` may be empty. Errors: InvalidArgument (no granary.yaml, a bad manifest, forbidden files),
// and those of the API.
base::Result<api_wire::ReleaseDocument> upload_release(Session& session, const std::string& folder,
                                                       const std::string& name);

}  // namespace granary::cli
