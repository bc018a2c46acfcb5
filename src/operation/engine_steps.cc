#include "base/check.h"
#include "base/contained.h"
#include "base/log.h"
#include "operation/engine.h"
#include "operation/live.h"
#include "operation/rows.h"
#include "operation/watched_transaction.h"

// How an operation goes from step to step, and how each change of it becomes durable.
namespace granary::operation {

using base::Code;
using base::OperationId;
using base::Result;
using base::Task;
using store::Transaction;

Task<Engine::Next> Engine::advance(OperationId id) {
  Live& live = *live_.at(id);
  const Operation operation = live.operation;
  // A parent ends when its children have.
  const bool has_children = of_parent_.contains(id) && fan_out_step(operation) != nullptr;
  if (live.cancel_requested && !has_children)
    co_return co_await finish(operation, State::Cancelled);
  if (is_held(live) && !live.cancel_requested) co_return Next::Await;
  if (operation.next_attempt && *operation.next_attempt > clock_.wall()) co_return Next::Park;
  co_return co_await run_step(operation);
}

Task<Engine::Next> Engine::run_step(Operation operation) {
  if (!live_.at(operation.id)->begun) {
    ++operation.attempts;
    operation.state = State::Running;
    operation.next_attempt.reset();
    operation.updated = clock_.wall();
    const auto written = co_await record(operation, [&operation](Transaction& tx) {
      return rows::begin_step(tx, operation, operation.updated);
    });
    if (!written) co_return Next::Finished;
    live_.at(operation.id)->begun = true;
  }
  const Kind& kind = kind_of(operation);
  const Step& step = kind.steps.at(index_of(kind, operation.step));
  if (!co_await await_lease()) co_return Next::Finished;
  if (!step.fan_out.is_empty()) co_return co_await fan_out(operation.id);
  // A step that throws is a fault of ours: it fails this operation, and no other.
  Result<Outcome> outcome = co_await base::contained(step.run(operation));
  // Cancelled by close(): nothing is recorded, and recover() runs the step again.
  if (tasks_.closing()) co_return Next::Finished;
  if (!outcome) co_return co_await record_failure(std::move(operation), outcome.error());
  co_return co_await succeed(std::move(operation), std::move(*outcome));
}

// A control that was stopped for a while, or cannot reach its store, may have been replaced.
Task<bool> Engine::await_lease() {
  while (!store_.may_act()) {
    if (!co_await timer_.sleep(kLeaseLook) || tasks_.closing()) co_return false;
  }
  co_return true;
}

Task<Engine::Next> Engine::succeed(Operation operation, Outcome outcome) {
  INVARIANT(!outcome.again_at || !outcome.not_before);
  const Kind& kind = kind_of(operation);
  const std::size_t index = index_of(kind, operation.step);
  const base::WallTime now = clock_.wall();
  const Operation before = operation;
  for (const auto& member : outcome.scratch) operation.scratch[member.key()] = member.value();
  if (outcome.result) operation.result = outcome.result;
  if (outcome.follow_up) operation.follow_up = outcome.follow_up;
  operation.updated = now;
  operation.error.reset();
  if (outcome.again_at) {
    operation.state = State::Waiting;
    operation.attempts = 0;
    operation.next_attempt = std::max(*outcome.again_at, now + kShortestAgain);
  } else if (index + 1 == kind.steps.size()) {
    operation.state = State::Succeeded;
  } else {
    const bool waits = outcome.not_before && *outcome.not_before > now;
    operation.step = kind.steps[index + 1].name;
    operation.state = waits ? State::Waiting : State::Running;
    operation.attempts = waits ? 0 : 1;
    if (waits) operation.next_attempt = outcome.not_before;
  }
  const auto written = co_await record_success(operation, outcome);
  if (tasks_.closing()) co_return Next::Finished;
  if (!written) co_return co_await record_failure(before, written.error());
  if (operation.state == State::Succeeded) co_return Next::Finished;
  live_.at(operation.id)->begun = operation.state == State::Running;
  co_return operation.state == State::Running ? Next::Continue : Next::Park;
}

// The end of a step, and the beginning of the next one where that needs no wait: one commit a step.
Task<Result<void>> Engine::record_success(const Operation& operation, const Outcome& outcome) {
  co_return co_await record(operation, [&](Transaction& tx) -> Result<void> {
    if (outcome.commit) TRY(outcome.commit(tx));
    const char* ended = outcome.again_at ? "again" : "done";
    TRY(rows::end_step(tx, operation.id, ended, outcome.detail, operation.updated));
    if (operation.state == State::Running) TRY(rows::begin_step(tx, operation, operation.updated));
    return {};
  });
}

Task<Engine::Next> Engine::record_failure(Operation operation, base::Error error) {
  const Kind& kind = kind_of(operation);
  operation.error = error;
  base::log::warn("operation {} {} {}: step {} failed: {}", operation.id.value, operation.kind,
                  operation.subject, operation.step, base::describe(error));
  const bool again = base::is_transient(error.code) && operation.attempts < kind.max_attempts;
  if (!again) co_return co_await finish(std::move(operation), State::Failed);
  const auto doubled = kFirstBackoff * (1LL << std::min(operation.attempts, 16U));
  const auto backoff = std::min<std::chrono::milliseconds>(doubled / 2, kLongestBackoff);
  const auto spread = std::chrono::milliseconds(
      static_cast<std::int64_t>(static_cast<double>(backoff.count()) * rng_.unit() / 2));
  operation.state = State::Waiting;
  operation.updated = clock_.wall();
  operation.next_attempt = operation.updated + backoff + spread;
  const auto written = co_await record(operation, [&](Transaction& tx) {
    return rows::end_step(tx, operation.id, "retry", base::describe(error), operation.updated);
  });
  if (!written) co_return Next::Finished;
  live_.at(operation.id)->begun = false;
  co_return Next::Park;
}

namespace {

// What is wrong whatever the state is wrong the next time as well: no word of trying again then.
void add_way_on(Operation& operation) {
  base::Error& error = *operation.error;
  const std::string retry = "granary operation retry " + operation.id.value;
  const bool senseless = error.code == base::Code::InvalidArgument;
  if (error.advice.contains(retry) || (senseless && !error.advice.empty())) return;
  if (!error.advice.empty()) error.advice += ". ";
  error.advice +=
      fmt::format("Once its cause is gone, go on from step {} with {}", operation.step, retry);
}

}  // namespace

Task<Engine::Next> Engine::finish(Operation operation, State state) {
  const Kind& kind = kind_of(operation);
  operation.state = state;
  operation.next_attempt.reset();
  operation.updated = clock_.wall();
  if (state == State::Failed && operation.error) add_way_on(operation);
  std::string detail = operation.error ? base::describe(*operation.error) : "";
  if (detail.empty() && operation.children.begun > 0) detail = to_text(operation.children);
  auto end = [&](Transaction& tx) {
    return rows::end_step(tx, operation.id, std::string(to_string(state)), detail,
                          operation.updated);
  };
  const auto written = co_await record(operation, [&](Transaction& tx) -> Result<void> {
    TRY(end(tx));
    return kind.on_failure ? kind.on_failure(tx, operation) : Result<void>();
  });
  if (written || tasks_.closing()) co_return Next::Finished;
  // What the kind wanted written besides was refused; that must not keep it from ending.
  base::log::error("operation {} ends without what {} records of a failure: {}", operation.id.value,
                   kind.name, base::describe(written.error()));
  (void)co_await record(operation, end);
  co_return Next::Finished;
}

namespace {

// Whether the store holds this very change.
bool is_recorded(const std::optional<Operation>& stored, const Operation& operation) {
  return stored && stored->state == operation.state && stored->step == operation.step &&
         stored->attempts == operation.attempts && stored->updated == operation.updated;
}

}  // namespace

// Makes a change of the operation durable, together with what `work` writes. What an operation must
// not go on without is written again until the store takes it: on a full disk the operation stands
// still instead of losing its place. A write whose answer was lost is not done twice. Errors: what
// `work` itself refuses; Cancelled when closing.
Task<Result<void>> Engine::record(const Operation& operation, store::Work work) {
  for (bool first = true;; first = false) {
    bool refused = false;
    const auto written = co_await store_.write([&](Transaction& tx) -> Result<void> {
      WatchedTransaction watched(tx);
      if (!first) {
        TRY_ASSIGN(const auto stored, rows::find(watched, operation.id.value));
        if (is_recorded(stored, operation)) return {};
      }
      Result<void> done = work(watched);
      if (done) done = rows::update(watched, operation);
      if (done && operation.parent && is_final(operation.state))
        done = rows::count_ended_child(watched, operation.parent->value, operation.state);
      refused = !done && !watched.store_failed();
      return done;
    });
    if (tasks_.closing()) co_return base::fail(Code::Cancelled, "the control plane is stopping");
    if (refused) co_return written;
    if (written) break;
    if (first)  // once: the log may be on the disk that is full
      base::log::error("operation {} waits for the store: {}", operation.id.value,
                       base::describe(written.error()));
    if (!co_await timer_.sleep(kStoreRetry) || tasks_.closing())
      co_return base::fail(Code::Cancelled, "the control plane is stopping");
  }
  keep(operation);
  co_return Result<void>();
}

// What others may have changed since is kept beside it.
void Engine::keep(const Operation& operation) {
  Operation& kept = live_.at(operation.id)->operation;
  Operation next = operation;
  next.children = kept.children;
  next.paused = kept.paused;
  next.cancel_asked = kept.cancel_asked;
  if (is_final(next.state)) {
    next.paused.reset();
    next.cancel_asked.reset();
  }
  kept = std::move(next);
  listeners_.tell(Operation(kept));
}

}  // namespace granary::operation
