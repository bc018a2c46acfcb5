// Everything that is durable in a world at one moment, beside what customers were told: what
// invariants are checked on. Read from the database in one transaction. A value.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "lifecycle/testing/simulation/world.h"
#include "registry/archive_row.h"
#include "registry/audit.h"

namespace granary::lifecycle::simulation {

struct OperationRow {
  std::string id;
  std::string kind;
  std::string subject;
  std::string actor;
  operation::State state = operation::State::Queued;
  std::string step;
  std::optional<base::Error> error;
  std::optional<base::OperationId> parent;
  bool makes_tenant = false;   // a creation, or a restore into a new tenant
  bool takes_back = false;     // a restore whose data was not taken
  const Call* call = nullptr;  // the request that started it; nullptr: another operation did
};

// What lies in the database of one tenant.
struct TenantView {
  std::vector<const OperationRow*> operations;  // since it was last created, oldest first
  Expected expected;                            // as those that were asked for make it
  const registry::Account* row = nullptr;

  bool busy() const;  // one of the operations is not final
  const OperationRow* last() const { return operations.empty() ? nullptr : operations.back(); }
};

struct View {
  std::vector<OperationRow> operations;  // in order of their ids, as they were recorded
  std::vector<registry::Account> accounts;
  std::map<std::string, TenantView> tenants;  // of each name that ever was
  registry::SlotTable slots;
  ExpectedGlobals expected_globals;
  ExpectedGlobals globals;                                            // as they are
  std::map<std::string, std::map<std::string, std::string>> secrets;  // of tenants, unsealed
  std::vector<registry::Archive> archives;
  registry::AuditCheck audit;
};

View look(World& world);

}  // namespace granary::lifecycle::simulation
