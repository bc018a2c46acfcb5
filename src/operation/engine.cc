#include "operation/engine.h"

#include "base/check.h"
#include "base/log.h"
#include "operation/rows.h"

namespace granary::operation {

using base::Code;
using base::OperationId;
using base::Result;
using base::Task;
using base::WallTime;
using store::Transaction;

struct Engine::Live {
  Operation operation;
  bool begun = false;    // the store says that operation.step has begun
  bool running = false;  // a drive() task holds it
  bool cancel_requested = false;
  std::shared_ptr<base::Event> ended;  // owned by this and by whoever waits
};

Engine::Engine(base::asio::any_io_executor executor, store::Store& store, const base::Clock& clock,
               base::Timer& timer, base::Rng& rng)
    : executor_(executor),
      store_(store),
      clock_(clock),
      timer_(timer),
      rng_(rng),
      tasks_(std::move(executor)) {}

Engine::~Engine() = default;

void Engine::add_kind(Kind kind) {
  ASSERT(!kind.steps.empty());
  std::string name = kind.name;
  const bool added = kinds_.emplace(std::move(name), std::move(kind)).second;
  ASSERT(added);
}

void Engine::on_change(std::function<void(const Operation&)> listener) {
  listener_ = std::move(listener);
}

const Kind& Engine::kind_of(const Operation& operation) const {
  const auto found = kinds_.find(operation.kind);
  ASSERT(found != kinds_.end());
  return found->second;
}

std::size_t Engine::index_of(const Kind& kind, const std::string& step) {
  for (std::size_t i = 0; i < kind.steps.size(); ++i) {
    if (kind.steps[i].name == step) return i;
  }
  return kind.steps.size();
}

Task<Result<void>> Engine::recover() {
  std::vector<Operation> found;
  std::vector<Operation> newest;
  CO_TRY(co_await store_.read([&](Transaction& tx) -> Result<void> {
    TRY_ASSIGN(found, rows::unfinished(tx));
    TRY_ASSIGN(newest, rows::list(tx, Filter{.subject = {}, .state = {}, .after = {}, .limit = 1}));
    return {};
  }));
  if (!newest.empty()) ids_.raise(newest.front().id.value);
  for (Operation& operation : found) {
    const auto kind = kinds_.find(operation.kind);
    if (kind == kinds_.end() ||
        index_of(kind->second, operation.step) >= kind->second.steps.size()) {
      // Written by another version of this program: left as it is, for that version or a person.
      base::log::warn("operation {} has an unknown kind or step: {} {}", operation.id.value,
                      operation.kind, operation.step);
      continue;
    }
    admit(std::move(operation));
  }
  start_ready();
  co_return Result<void>();
}

Task<Result<Operation>> Engine::submit(Request request, store::Work also) {
  const auto kind = kinds_.find(request.kind);
  ASSERT(kind != kinds_.end());
  if (tasks_.closing()) co_return base::fail(Code::Unavailable, "the control plane is stopping");
  if (live_.size() >= kMaxLive)
    co_return base::fail_with_advice(
        Code::Exhausted, fmt::format("{} operations are under way already", live_.size()),
        "Wait until some have finished (granary operation list), then try again");
  Operation operation;
  operation.created = operation.updated = clock_.wall();
  operation.id = OperationId(ids_.next(operation.created, rng_));
  operation.kind = request.kind;
  operation.subject = request.subject;
  operation.step = kind->second.steps.front().name;
  operation.input = std::move(request.input);
  operation.actor = request.actor;
  bool existed = false;
  const std::string key = request.idempotency_key;
  CO_TRY(co_await store_.write([&](Transaction& tx) -> Result<void> {
    if (!key.empty()) {
      TRY_ASSIGN(const auto earlier, rows::find_by_key(tx, key));
      if (earlier && (earlier->kind != operation.kind || earlier->subject != operation.subject))
        return base::fail(Code::Conflict, "the idempotency key was used for {} of {}",
                          earlier->kind, earlier->subject);
      if (earlier) {
        existed = true;
        operation = *earlier;
        return {};
      }
    }
    if (also) TRY(also(tx));
    return rows::insert(tx, operation, key);
  }));
  if (existed) co_return operation;
  if (listener_) listener_(operation);
  admit(operation);
  start_ready();
  co_return operation;
}

void Engine::admit(Operation operation) {
  const OperationId id = operation.id;
  auto live = std::make_unique<Live>();
  of_subject_[operation.subject].insert(id);
  live->operation = std::move(operation);
  live->ended = std::make_shared<base::Event>(executor_);
  live_[id] = std::move(live);
  ready_.insert(id);
}

bool Engine::may_start(const Live& live) const {
  const Operation& operation = live.operation;
  const auto running = running_of_kind_.find(operation.kind);
  const bool kind_full =
      running != running_of_kind_.end() && running->second >= kind_of(operation).concurrency;
  return !kind_full && *of_subject_.at(operation.subject).begin() == operation.id;
}

void Engine::start_ready() {
  std::string last;
  // A spawned task runs at once up to its first wait and may come back here, so the place in the
  // set is looked up again after each.
  for (auto at = ready_.begin(); at != ready_.end() && running_ < kMaxRunning;
       at = ready_.upper_bound(OperationId(last))) {
    const OperationId id = *at;
    last = id.value;
    Live& live = *live_.at(id);
    if (!may_start(live)) continue;
    ready_.erase(id);
    live.running = true;
    ++running_;
    ++running_of_kind_[live.operation.kind];
    if (!tasks_.spawn("operation " + id.value, drive(id))) return;
  }
}

Task<void> Engine::drive(OperationId id) {
  Next next = Next::Continue;
  while (next == Next::Continue) next = co_await advance(id);
  const auto found = live_.find(id);
  if (found == live_.end()) co_return;
  Live& live = *found->second;
  const Operation operation = live.operation;
  live.running = false;
  --running_;
  --running_of_kind_[operation.kind];
  if (next == Next::Finished) {
    settle(operation);
  } else {
    park(operation);
  }
  start_ready();
}

// Forgets a final operation and wakes who waits for it.
void Engine::settle(const Operation& operation) {
  const std::shared_ptr<base::Event> ended = live_.at(operation.id)->ended;
  auto subject = of_subject_.find(operation.subject);
  subject->second.erase(operation.id);
  if (subject->second.empty()) of_subject_.erase(subject);
  live_.erase(operation.id);
  ended->notify_all();
}

// Holds nothing while it waits for its time.
void Engine::park(const Operation& operation) {
  ASSERT(operation.next_attempt.has_value());
  tasks_.spawn("wait of " + operation.id.value, wake_later(operation.id, *operation.next_attempt));
}

Task<void> Engine::wake_later(OperationId id, WallTime at) {
  // In pieces, because the wall clock may be set while this waits.
  constexpr std::chrono::hours kPiece{1};
  for (;;) {
    const auto found = live_.find(id);
    if (found == live_.end() || found->second->running || ready_.contains(id)) co_return;
    const auto left = at - clock_.wall();
    if (left <= left.zero() || found->second->cancel_requested) break;
    if (!co_await timer_.sleep(std::min<std::chrono::nanoseconds>(left, kPiece))) co_return;
  }
  ready_.insert(id);
  start_ready();
}

Task<Engine::Next> Engine::advance(OperationId id) {
  Live& live = *live_.at(id);
  const Operation operation = live.operation;
  if (live.cancel_requested) co_return co_await finish(operation, State::Cancelled);
  if (operation.next_attempt && *operation.next_attempt > clock_.wall()) co_return Next::Park;
  co_return co_await run_step(operation);
}

Task<Engine::Next> Engine::run_step(Operation operation) {
  if (!live_.at(operation.id)->begun) {
    ++operation.attempts;
    operation.state = State::Running;
    operation.next_attempt.reset();
    operation.updated = clock_.wall();
    const auto written = co_await write_until_done([&operation](Transaction& tx) -> Result<void> {
      TRY(rows::begin_step(tx, operation, operation.updated));
      return rows::update(tx, operation);
    });
    if (!written) co_return Next::Finished;
    Live& live = *live_.at(operation.id);
    live.operation = operation;
    live.begun = true;
    if (listener_) listener_(operation);
  }
  const Kind& kind = kind_of(operation);
  const Step& step = kind.steps.at(index_of(kind, operation.step));
  Result<Outcome> outcome = co_await step.run(operation);
  // Cancelled by close(): nothing is recorded, and recover() runs the step again.
  if (tasks_.closing()) co_return Next::Finished;
  if (!outcome) co_return co_await record_failure(std::move(operation), outcome.error());
  co_return co_await succeed(std::move(operation), std::move(*outcome));
}

Task<Engine::Next> Engine::succeed(Operation operation, Outcome outcome) {
  const Kind& kind = kind_of(operation);
  const std::size_t index = index_of(kind, operation.step);
  const bool last = index + 1 == kind.steps.size();
  const bool waits = !last && outcome.not_before && *outcome.not_before > clock_.wall();
  const Operation before = operation;
  for (const auto& member : outcome.scratch) operation.scratch[member.key()] = member.value();
  operation.updated = clock_.wall();
  operation.error.reset();
  if (last) {
    operation.state = State::Succeeded;
  } else {
    operation.step = kind.steps[index + 1].name;
    operation.state = waits ? State::Waiting : State::Running;
    operation.attempts = waits ? 0 : 1;
    if (waits) operation.next_attempt = outcome.not_before;
  }
  const auto written = co_await store_.write([&](Transaction& tx) -> Result<void> {
    if (outcome.commit) TRY(outcome.commit(tx));
    TRY(rows::end_step(tx, operation.id, "done", outcome.detail, operation.updated));
    // The next step begins in the same transaction: one commit a step.
    if (!last && !waits) TRY(rows::begin_step(tx, operation, operation.updated));
    return rows::update(tx, operation);
  });
  if (tasks_.closing()) co_return Next::Finished;
  if (!written) co_return co_await record_failure(before, written.error());
  Live& live = *live_.at(operation.id);
  live.operation = operation;
  live.begun = !last && !waits;
  if (listener_) listener_(operation);
  if (last) co_return Next::Finished;
  co_return waits ? Next::Park : Next::Continue;
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
  const auto written = co_await write_until_done([&](Transaction& tx) -> Result<void> {
    TRY(rows::end_step(tx, operation.id, "retry", base::describe(error), operation.updated));
    return rows::update(tx, operation);
  });
  if (!written) co_return Next::Finished;
  Live& live = *live_.at(operation.id);
  live.operation = operation;
  live.begun = false;
  if (listener_) listener_(operation);
  co_return Next::Park;
}

Task<Engine::Next> Engine::finish(Operation operation, State state) {
  const Kind& kind = kind_of(operation);
  operation.state = state;
  operation.next_attempt.reset();
  operation.updated = clock_.wall();
  const std::string detail = operation.error ? base::describe(*operation.error) : "";
  const auto written = co_await write_until_done([&](Transaction& tx) -> Result<void> {
    TRY(rows::end_step(tx, operation.id, std::string(to_string(state)), detail, operation.updated));
    TRY(rows::update(tx, operation));
    return kind.on_failure ? kind.on_failure(tx, operation) : Result<void>();
  });
  if (written) {
    live_.at(operation.id)->operation = operation;
    if (listener_) listener_(operation);
  }
  co_return Next::Finished;
}

// What an operation must not go on without is written again until it is durable: on a full disk
// the operation stands still instead of losing its place. Ends with an error when closing.
Task<Result<void>> Engine::write_until_done(store::Work work) {
  for (;;) {
    Result<void> written = co_await store_.write(work);
    if (written) co_return tasks_.closing() ? base::fail(Code::Cancelled, "closing") : written;
    base::log::error("the store refuses: {}", base::describe(written.error()));
    if (!co_await timer_.sleep(kLongestBackoff / 12)) co_return written;
    if (tasks_.closing()) co_return written;
  }
}

Task<Result<Operation>> Engine::wait(OperationId id) {
  for (auto found = live_.find(id); found != live_.end(); found = live_.find(id)) {
    const std::shared_ptr<base::Event> ended = found->second->ended;
    CO_TRY(co_await ended->wait());
  }
  co_return co_await find(id);
}

Task<Result<Operation>> Engine::cancel(OperationId id) {
  const auto found = live_.find(id);
  if (found == live_.end()) {
    CO_TRY_ASSIGN(const Operation operation, co_await find(id));
    co_return base::fail(Code::Conflict, "operation {} is {} already", id.value,
                         to_string(operation.state));
  }
  Live& live = *found->second;
  live.cancel_requested = true;
  // A parked one has nobody else to take it up.
  if (!live.running) ready_.insert(id);
  start_ready();
  co_return co_await wait(id);
}

Task<void> Engine::close() {
  co_await tasks_.close();
  live_.clear();
}

}  // namespace granary::operation
