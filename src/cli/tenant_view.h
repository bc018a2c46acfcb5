// Tenants as tables and facts, for people who read them on a terminal. Pure; any thread.
#pragma once

#include <string>

#include "api/wire/documents.h"
#include "base/clock.h"

namespace granary::cli {

std::string table_of(const api_wire::TenantList& list, base::WallTime now);
std::string facts_of(const api_wire::TenantDocument& tenant, base::WallTime now);

}  // namespace granary::cli
