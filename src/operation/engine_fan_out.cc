#include "base/contained.h"
#include "base/log.h"
#include "operation/engine.h"
#include "operation/live.h"
#include "operation/rows.h"
#include "operation/watched_transaction.h"

// How a parent begins its children, a window of them at a time, and what becomes of it when they
// have ended. Everything that it must remember is in its row; memory holds only what comes next.
namespace granary::operation {

using base::Code;
using base::OperationId;
using base::Result;
using base::Task;
using store::Transaction;

namespace {

// A store whose answer was lost says Internal: what it did is read when the parent looks again.
base::Error unsure(base::Error error) {
  if (error.code == Code::Internal) error.code = Code::Unavailable;
  return error;
}

}  // namespace

// One look of a parent: it begins children while it may, and then waits without a place.
Task<Engine::Next> Engine::fan_out(OperationId id) {
  const FanOut& from = fan_out_step(live_.at(id)->operation)->fan_out;
  const FanOutRules rules = from.rules(live_.at(id)->operation);
  for (;;) {
    live_.at(id)->nudged = false;
    const auto state = co_await look_at_children(id, from);
    if (tasks_.closing()) co_return Next::Finished;
    if (!state) co_return co_await record_failure(live_.at(id)->operation, unsure(state.error()));
    const FanOutMove move = next_move(*state, rules);
    if (state->cancelled) cancel_children(id);
    if (move == FanOutMove::Wait) co_return Next::Await;
    if (move != FanOutMove::Begin) co_return co_await conclude(id, from, move);
    if (!co_await await_lease()) co_return Next::Finished;
    Result<void> begun = co_await fetch_children(id, from);
    if (begun && !tasks_.closing()) begun = co_await begin_child(id);
    if (tasks_.closing()) co_return Next::Finished;
    Live& live = *live_.at(id);
    if (!begun) {
      live.failed.clear();  // what comes next is read again
      live.upcoming.clear();
      live.exhausted = false;
      co_return co_await record_failure(live.operation, unsure(begun.error()));
    }
    live.operation.attempts = 1;  // it gets on: earlier failures do not add up for ever
  }
}

// What the row says, and what is known of the children that come next.
Task<Result<FanOutState>> Engine::look_at_children(OperationId id, const FanOut& from) {
  rows::Progress progress;
  CO_TRY(co_await store_.read([&](Transaction& tx) -> Result<void> {
    TRY_ASSIGN(progress, rows::progress(tx, id.value));
    return {};
  }));
  if (tasks_.closing()) co_return base::fail(Code::Cancelled, "the control plane is stopping");
  if (from.count && !progress.children.total) {
    CO_TRY(co_await count_children(id, from));
    co_return co_await look_at_children(id, from);
  }
  Live& live = *live_.at(id);
  if (live.mark != progress.mark) {
    live.mark = progress.mark;
    live.upcoming.clear();
    live.exhausted = false;
  }
  live.again_after.reset();
  if (progress.again) live.again_after = OperationId(*progress.again);
  if (live.operation.children != progress.children) {
    live.operation.children = progress.children;
    listeners_.tell(Operation(live.operation));
  }
  co_return FanOutState{.children = progress.children,
                        .more = live.again_after || !live.upcoming.empty() || !live.exhausted,
                        .paused = is_held(live),
                        .cancelled = live.cancel_requested};
}

Task<Result<void>> Engine::count_children(OperationId id, const FanOut& from) {
  CO_TRY_ASSIGN(const std::uint64_t total,
                co_await base::contained(from.count(live_.at(id)->operation)));
  co_return co_await store_.write(
      [id, total](Transaction& tx) { return rows::set_total(tx, id.value, total); });
}

// Fills `failed` or `upcoming`, or finds out that there are no more.
Task<Result<void>> Engine::fetch_children(OperationId id, const FanOut& from) {
  if (live_.at(id)->again_after) CO_TRY(co_await fetch_failed_children(id));
  const Live& before = *live_.at(id);
  if (before.again_after || before.exhausted || !before.upcoming.empty()) co_return Result<void>();
  CO_TRY_ASSIGN(auto next, co_await base::contained(
                               from.next(before.operation, before.mark, kChildrenFetched)));
  if (tasks_.closing()) co_return Result<void>();
  Live& live = *live_.at(id);
  live.exhausted = next.empty();
  live.upcoming.assign(std::make_move_iterator(next.begin()), std::make_move_iterator(next.end()));
  co_return Result<void>();
}

Task<Result<void>> Engine::fetch_failed_children(OperationId id) {
  if (!live_.at(id)->failed.empty()) co_return Result<void>();
  const OperationId after = *live_.at(id)->again_after;
  std::vector<std::string> failed;
  CO_TRY(co_await store_.read([&](Transaction& tx) -> Result<void> {
    TRY_ASSIGN(failed, rows::failed_children(tx, id.value, after.value, kChildrenFetched));
    return {};
  }));
  if (failed.empty()) {
    CO_TRY(co_await store_.write(
        [id](Transaction& tx) { return rows::set_again(tx, id.value, std::nullopt); }));
    if (!tasks_.closing()) live_.at(id)->again_after.reset();
    co_return Result<void>();
  }
  if (tasks_.closing()) co_return Result<void>();
  for (std::string& child : failed) live_.at(id)->failed.emplace_back(std::move(child));
  co_return Result<void>();
}

// One of those that were fetched; none: nothing.
Task<Result<void>> Engine::begin_child(OperationId id) {
  Live& live = *live_.at(id);
  if (live.again_after) {
    const OperationId child = live.failed.front();
    live.failed.pop_front();
    co_return co_await begin_failed_child(id, child);
  }
  if (live.upcoming.empty()) co_return Result<void>();
  Child child = std::move(live.upcoming.front());
  live.upcoming.pop_front();
  co_return co_await begin_new_child(id, std::move(child));
}

Task<Result<void>> Engine::begin_new_child(OperationId parent, Child child) {
  CO_TRY(role_of(child.request.kind));
  if (child.mark.empty() || child.request.subject == live_.at(parent)->operation.subject)
    // It would begin again and again, or wait for its turn until its own parent has ended.
    co_return base::fail(Code::NotSupported, "a child without a mark, or of its parent's subject");
  if (live_.size() >= kMaxLive)
    co_return base::fail(Code::Exhausted, "{} operations are under way already", live_.size());
  Operation operation = make_operation(child.request);
  operation.parent = parent;
  const std::string after = live_.at(parent)->mark;
  bool store_failed = true;  // unless the work has run and says otherwise
  bool moved = false;        // an earlier write was durable, although its answer was lost
  auto insert = [&](Transaction& tx) -> Result<void> {
    TRY_ASSIGN(const bool next,
               rows::move_mark(tx, parent.value, after, child.mark, rows::Begun::Yes));
    moved = !next;
    if (moved) return base::fail(Code::Conflict, "another child was begun");
    if (child.also) TRY(child.also(tx));
    return rows::insert(tx, operation, {});
  };
  const auto written = co_await store_.write([&](Transaction& tx) -> Result<void> {
    WatchedTransaction watched(tx);
    Result<void> done = insert(watched);
    store_failed = done.has_value() || watched.store_failed();
    return done;
  });
  if (tasks_.closing() || moved) co_return Result<void>();  // the next look reads the mark
  if (!written && !store_failed) {
    const bool needless =
        written.error().code == Code::NotFound || written.error().code == Code::Conflict;
    if (!needless) co_return written;
    co_return co_await skip_child(parent, child.mark);
  }
  if (!written) {
    const auto taken = co_await take_up(operation.id, written.error());
    co_return taken ? Result<void>() : std::unexpected(taken.error());
  }
  live_.at(parent)->mark = child.mark;
  listeners_.tell(operation);
  admit(std::move(operation));
  start_ready();
  co_return Result<void>();
}

// It is not needed any more: the next one comes after it.
Task<Result<void>> Engine::skip_child(OperationId parent, std::string mark) {
  const std::string after = live_.at(parent)->mark;
  bool next = false;
  CO_TRY(co_await store_.write([&](Transaction& tx) -> Result<void> {
    TRY_ASSIGN(next, rows::move_mark(tx, parent.value, after, mark, rows::Begun::Skipped));
    return {};
  }));
  if (next && !tasks_.closing()) live_.at(parent)->mark = std::move(mark);
  co_return Result<void>();
}

// One that cannot run now stays failed: a later operation of its subject is in its way.
Task<Result<void>> Engine::begin_failed_child(OperationId parent, OperationId child) {
  const auto in_turn = [parent, child](Transaction& tx) -> Result<void> {
    TRY(rows::set_again(tx, parent.value, child.value));
    return rows::forgive_one_less(tx, parent.value);
  };
  const auto queued = co_await requeue(child, in_turn);
  if (queued) co_return Result<void>();
  const bool stays = queued.error().code == Code::Conflict ||
                     queued.error().code == Code::NotFound ||
                     queued.error().code == Code::NotSupported;
  if (!stays) co_return std::unexpected(queued.error());
  co_return co_await store_.write(
      [parent, child](Transaction& tx) { return rows::set_again(tx, parent.value, child.value); });
}

namespace {

base::Error stopped(const Operation& operation) {
  return {.code = Code::Exhausted,
          .message = "it stopped because too many failed: " + to_text(operation.children),
          .advice = fmt::format("See why: granary operation list --parent {0} --state failed. Then "
                                "run those again and go on: granary operation retry {0}",
                                operation.id.value),
          .context = {}};
}

base::Error not_all(const Operation& operation) {
  return {.code = Code::Conflict,
          .message = "not all of its operations succeeded: " + to_text(operation.children),
          .advice = fmt::format("See why: granary operation list --parent {0} --state failed. Then "
                                "run those again: granary operation retry {0}",
                                operation.id.value),
          .context = {}};
}

}  // namespace

// No child is open any more.
Task<Engine::Next> Engine::conclude(OperationId id, const FanOut& from, FanOutMove move) {
  Operation operation = live_.at(id)->operation;
  std::optional<base::json::object> result;
  if (from.result) result = from.result(operation);
  const Children& children = operation.children;
  const bool all = children.failed == 0 && children.cancelled == 0;
  if (move == FanOutMove::Conclude && all) {
    Outcome outcome{.commit = {}, .scratch = {}, .detail = to_text(children), .not_before = {}};
    outcome.result = std::move(result);
    co_return co_await succeed(std::move(operation), std::move(outcome));
  }
  if (result) operation.result = std::move(result);
  if (move == FanOutMove::Cancel) co_return co_await finish(operation, State::Cancelled);
  operation.error = move == FanOutMove::Stop ? stopped(operation) : not_all(operation);
  base::log::warn("operation {} {} {}: {}", id.value, operation.kind, operation.subject,
                  base::describe(*operation.error));
  co_return co_await finish(operation, State::Failed);
}

// Those that have not begun end at once; those that begin children themselves begin no more.
void Engine::cancel_children(OperationId parent) {
  const auto found = of_parent_.find(parent);
  if (found == of_parent_.end()) return;
  const std::set<OperationId> children = found->second;  // ending one changes it
  for (const OperationId& id : children) {
    const auto child = live_.find(id);
    if (child == live_.end() || child->second->cancel_requested) continue;
    Live& live = *child->second;
    const bool not_begun = !live.begun && live.operation.state == State::Queued;
    if (!not_begun && fan_out_step(live.operation) == nullptr) continue;
    if (not_begun && live.phase == Live::Phase::Running) continue;  // it begins just now
    live.cancel_requested = true;
    live.nudged = true;
    if (live.phase != Live::Phase::Running) start(live);
  }
}

// A child has ended.
void Engine::nudge(const OperationId& parent) {
  const auto found = live_.find(parent);
  if (found == live_.end()) return;
  Live& live = *found->second;
  live.nudged = true;
  const bool may_look = !is_held(live) || live.cancel_requested;
  if (live.phase == Live::Phase::Parked && live.awaits && may_look) unpark(live);
}

}  // namespace granary::operation
