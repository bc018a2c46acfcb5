// How commands that change a tenant end: waiting for the operation and for the check that it
// started, then telling how the tenant is. Shared by the commands of the noun.
#pragma once

#include <string>

#include "cli/session.h"

namespace granary::cli {

enum class Wait { Yes, No };
// Errors: how the operation failed, and those of the API.
base::Result<void> finish_tenant(Session& session, api_wire::OperationDocument operation,
                                 const std::string& tenant, Wait wait);
// The same for an operation that is of no tenant alone: `done` is what is said of its success.
base::Result<void> finish_operation(Session& session, api_wire::OperationDocument operation,
                                    Wait wait, const std::string& done);

inline std::string path_to_tenant(const std::string& tenant) {
  return path_of({"v1", "tenants", tenant});
}

}  // namespace granary::cli
