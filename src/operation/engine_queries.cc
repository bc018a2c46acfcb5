#include "base/check.h"
#include "operation/engine.h"
#include "operation/rows.h"

// What callers ask of operations: finding, waiting, retrying, cancelling.
namespace granary::operation {

using base::Code;
using base::OperationId;
using base::Result;
using base::Task;
using store::Transaction;

namespace {

base::Failure unknown(const OperationId& id) {
  return base::fail_with_advice(Code::NotFound, fmt::format("there is no operation {}", id.value),
                                "See granary operation list");
}

}  // namespace

Task<Result<Operation>> Engine::find(OperationId id) {
  std::optional<Operation> found;
  CO_TRY(co_await store_.read([&](Transaction& tx) -> Result<void> {
    TRY_ASSIGN(found, rows::find(tx, id.value));
    return {};
  }));
  if (!found) co_return unknown(id);
  co_return std::move(*found);
}

Task<Result<std::vector<Operation>>> Engine::list(Filter filter) {
  std::vector<Operation> found;
  CO_TRY(co_await store_.read([&](Transaction& tx) -> Result<void> {
    TRY_ASSIGN(found, rows::list(tx, filter));
    return {};
  }));
  co_return found;
}

Task<Result<std::vector<StepRecord>>> Engine::history(OperationId id) {
  std::vector<StepRecord> records;
  CO_TRY(co_await store_.read([&](Transaction& tx) -> Result<void> {
    TRY_ASSIGN(const auto operation, rows::find(tx, id.value));
    if (!operation) return unknown(id);
    TRY_ASSIGN(records, rows::history(tx, id.value));
    return {};
  }));
  co_return records;
}

Task<Result<Operation>> Engine::retry(OperationId id) {
  Operation operation;
  CO_TRY(co_await store_.write([&](Transaction& tx) -> Result<void> {
    TRY_ASSIGN(auto found, rows::find(tx, id.value));
    if (!found) return unknown(id);
    if (found->state != State::Failed)
      return base::fail(Code::Conflict, "operation {} is {}; only a failed one can be retried",
                        id.value, to_string(found->state));
    operation = std::move(*found);
    operation.state = State::Queued;
    operation.attempts = 0;
    operation.updated = clock_.wall();
    return rows::update(tx, operation);
  }));
  if (listener_) listener_(operation);
  admit(operation);
  start_ready();
  co_return operation;
}

}  // namespace granary::operation
