// The rows of operations: the one place with SQL on the tables `operation` and `operation_step`.
// Each function is one durable change within a transaction of the caller's. Internal to this room.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "operation/engine.h"
#include "operation/operation.h"
#include "store/store.h"

namespace granary::operation::rows {

base::Result<void> insert(store::Transaction& tx, const Operation& operation,
                          const std::string& idempotency_key);
base::Result<void> update(store::Transaction& tx, const Operation& operation);
base::Result<std::optional<Operation>> find(store::Transaction& tx, const std::string& id);
base::Result<std::optional<Operation>> find_by_key(store::Transaction& tx,
                                                   const std::string& idempotency_key);
base::Result<std::vector<Operation>> list(store::Transaction& tx, const Engine::Filter& filter);
// The oldest of a subject that is not final.
base::Result<std::optional<Operation>> unfinished_of(store::Transaction& tx,
                                                     const std::string& subject);
// All that are not final, oldest first.
base::Result<std::vector<Operation>> unfinished(store::Transaction& tx);

base::Result<void> begin_step(store::Transaction& tx, const Operation& operation,
                              base::WallTime now);
// Ends the newest record of the operation that has no end yet; none: success.
base::Result<void> end_step(store::Transaction& tx, const base::OperationId& id,
                            const std::string& outcome, const std::string& detail,
                            base::WallTime now);
base::Result<std::vector<StepRecord>> history(store::Transaction& tx, const std::string& id);

}  // namespace granary::operation::rows
