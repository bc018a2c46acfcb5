#include "base/check.h"
#include "operation/engine.h"
#include "operation/live.h"
#include "operation/rows.h"
#include "operation/watched_transaction.h"

// What callers ask of operations: finding, waiting, retrying, pausing, cancelling.
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

Task<Result<std::optional<Operation>>> Engine::find_by_key(std::string key) {
  std::optional<Operation> found;
  if (key.empty()) co_return found;
  CO_TRY(co_await store_.read([&](Transaction& tx) -> Result<void> {
    TRY_ASSIGN(found, rows::find_by_key(tx, key));
    return {};
  }));
  co_return found;
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

Task<Result<Operation>> Engine::wait(OperationId id) {
  for (auto found = live_.find(id); found != live_.end(); found = live_.find(id)) {
    const std::shared_ptr<base::Event> ended = found->second->ended;
    CO_TRY(co_await ended->wait());
    if (tasks_.closing()) co_return base::fail(Code::Cancelled, "the control plane is stopping");
  }
  co_return co_await find(id);
}

namespace {

// A failed one as it is to be again: its failed step comes next, as if for the first time.
Result<Operation> queue_again(Transaction& tx, const OperationId& id, base::WallTime now) {
  TRY_ASSIGN(auto found, rows::find(tx, id.value));
  if (!found) return unknown(id);
  if (found->state != State::Failed)
    return base::fail(Code::Conflict, "operation {} is {}; only a failed one can be retried",
                      id.value, to_string(found->state));
  TRY_ASSIGN(const auto other, rows::unfinished_of(tx, found->subject));
  if (other)
    return base::fail_with_advice(
        Code::Conflict,
        fmt::format("operation {} ({}) of {} is {}", other->id.value, other->kind, other->subject,
                    to_string(other->state)),
        "Wait until it has ended, or cancel it with granary operation cancel " + other->id.value);
  found->state = State::Queued;
  found->attempts = 0;
  found->updated = now;
  found->children.forgiven = found->children.failed;
  TRY(rows::update(tx, *found));
  TRY(rows::requeue_parent(tx, id.value));
  if (found->parent) TRY(rows::count_requeued_child(tx, found->parent->value));
  return std::move(*found);
}

}  // namespace

Task<Result<Operation>> Engine::retry(OperationId id) { co_return co_await requeue(id, {}); }

Task<Result<Operation>> Engine::requeue(OperationId id, store::Work also) {
  // Its end is durable, but the engine is not done with it: it would be ended a second time.
  if (live_.contains(id))
    co_return base::fail(Code::Conflict, "operation {} has not ended yet", id.value);
  Operation operation;
  bool store_failed = true;  // unless the work has run and says otherwise
  const auto written =
      co_await store_.write([&, now = clock_.wall()](Transaction& tx) -> Result<void> {
        WatchedTransaction watched(tx);
        if (also) TRY(also(watched));
        auto queued = queue_again(watched, id, now);
        if (queued) {
          const auto known = role_of(queued->kind);
          if (!known) queued = std::unexpected(known.error());
        }
        store_failed = queued.has_value() || watched.store_failed();
        if (!queued) return std::unexpected(std::move(queued).error());
        operation = std::move(*queued);
        return {};
      });
  if (!written && !store_failed) co_return std::unexpected(written.error());
  if (!written) co_return co_await take_up(id, written.error());
  listeners_.tell(operation);
  admit(operation);
  start_ready();
  co_return operation;
}

Task<Result<Operation>> Engine::cancel(OperationId id) {
  const auto found = live_.find(id);
  if (found == live_.end()) {
    CO_TRY_ASSIGN(const Operation operation, co_await find(id));
    CO_TRY(role_of(operation.kind));
    co_return base::fail(Code::Conflict, "operation {} is {} already", id.value,
                         to_string(operation.state));
  }
  const Operation& current = found->second->operation;
  const Kind& kind = kind_of(current);
  if (!kind.no_way_back.empty() && index_of(kind, current.step) >= index_of(kind, kind.no_way_back))
    co_return base::fail_with_advice(
        Code::Conflict,
        fmt::format("operation {} is at '{}': it can no longer be called off", id.value,
                    current.step),
        "Wait for its end: granary operation wait " + id.value);
  // What its children still do takes longer than a control may live.
  if (of_parent_.contains(id)) CO_TRY(co_await ask_cancel(id));
  const auto again = live_.find(id);
  if (again == live_.end()) co_return co_await find(id);
  Live& live = *again->second;
  live.cancel_requested = true;
  // One that does not run needs no place and no turn: all it will do is end.
  if (live.phase != Live::Phase::Running) start(live);
  co_return co_await wait(id);
}

Task<Result<void>> Engine::ask_cancel(OperationId id) {
  const base::WallTime now = clock_.wall();
  CO_TRY(co_await store_.write(
      [id, now](Transaction& tx) { return rows::set_cancel_asked(tx, id.value, now); }));
  const auto found = live_.find(id);
  if (found == live_.end()) co_return Result<void>();
  found->second->operation.cancel_asked = now;
  found->second->nudged = true;
  listeners_.tell(Operation(found->second->operation));
  co_return Result<void>();
}

Task<Result<Operation>> Engine::pause(OperationId id) {
  co_return co_await set_paused(id, clock_.wall());
}

Task<Result<Operation>> Engine::resume(OperationId id) {
  co_return co_await set_paused(id, std::nullopt);
}

Task<Result<Operation>> Engine::set_paused(OperationId id, std::optional<base::WallTime> since) {
  const auto found = live_.find(id);
  if (found == live_.end()) {
    CO_TRY_ASSIGN(const Operation operation, co_await find(id));
    CO_TRY(role_of(operation.kind));
    co_return base::fail(Code::Conflict, "operation {} is {} already", id.value,
                         to_string(operation.state));
  }
  // A resumption is written in any case: the answer to an earlier pause may have been lost.
  if (since && found->second->operation.paused) co_return found->second->operation;
  CO_TRY(co_await store_.write(
      [id, since](Transaction& tx) { return rows::set_paused(tx, id.value, since); }));
  const auto again = live_.find(id);
  if (again == live_.end()) co_return co_await find(id);
  again->second->operation.paused = since;
  const Operation operation = again->second->operation;
  listeners_.tell(operation);
  if (!since) take_up_resumed();
  co_return operation;
}

// Whatever begins nothing because it, or what is above it, was paused.
void Engine::take_up_resumed() {
  for (const auto& [id, live] : live_) {
    if (live->phase == Live::Phase::Parked && live->awaits && !is_held(*live)) unpark(*live);
  }
  start_ready();
}

}  // namespace granary::operation
