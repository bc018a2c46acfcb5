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
// ---- parents and children. A parent's row is changed by these alone, never by update().
// What a parent has to know to go on.
struct Progress {
  Children children;
  std::string mark;  // of the child that was begun last; empty: none
  // While failed children are run again: the last one that was; empty: none yet.
  std::optional<std::string> again;
};
base::Result<Progress> progress(store::Transaction& tx, const std::string& parent);
// A child of the parent was recorded, or is not needed. False, and nothing has changed, unless the
// parent's mark is `after`.
enum class Begun { Yes, Skipped };
base::Result<bool> move_mark(store::Transaction& tx, const std::string& parent,
                             const std::string& after, const std::string& mark, Begun begun);
base::Result<void> count_ended_child(store::Transaction& tx, const std::string& parent,
                                     State state);
// A failed child is queued again.
base::Result<void> count_requeued_child(store::Transaction& tx, const std::string& parent);
// The parent itself is: its failed children come first, and what failed is forgiven.
base::Result<void> requeue_parent(store::Transaction& tx, const std::string& parent);
// The failed child whose turn it was; nothing: there are no more.
base::Result<void> set_again(store::Transaction& tx, const std::string& parent,
                             const std::optional<std::string>& child);
base::Result<void> forgive_one_less(store::Transaction& tx, const std::string& parent);
base::Result<std::vector<std::string>> failed_children(store::Transaction& tx,
                                                       const std::string& parent,
                                                       const std::string& after,
                                                       std::uint32_t limit);
base::Result<void> set_total(store::Transaction& tx, const std::string& parent,
                             std::uint64_t total);

base::Result<void> set_paused(store::Transaction& tx, const std::string& id,
                              const std::optional<base::WallTime>& since);
base::Result<void> set_cancel_asked(store::Transaction& tx, const std::string& id,
                                    base::WallTime at);

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
