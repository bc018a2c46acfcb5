#include "operation/engine.h"

#include "base/check.h"
#include "base/log.h"
#include "operation/live.h"
#include "operation/rows.h"
#include "operation/watched_transaction.h"

namespace granary::operation {

using base::Code;
using base::OperationId;
using base::Result;
using base::Task;
using store::Transaction;

Engine::Engine(base::asio::any_io_executor executor, store::LeasedStore& store,
               const base::Clock& clock, base::Timer& timer, base::Rng& rng)
    : executor_(executor),
      store_(store),
      clock_(clock),
      timer_(timer),
      rng_(rng),
      tasks_(std::move(executor)) {}

Engine::~Engine() = default;

void Engine::add_limit(std::string name, std::uint32_t places) {
  ASSERT(!name.empty() && places > 0);
  const bool added = limits_.emplace(std::move(name), Limit{.places = places, .running = 0}).second;
  ASSERT(added);
}

void Engine::add_kind(Kind kind) {
  ASSERT(!kind.steps.empty());
  ASSERT(kind.role != KindRole::Undeclared);
  for (const Step& step : kind.steps)
    ASSERT(static_cast<bool>(step.run) == step.fan_out.is_empty());
  ASSERT(std::ranges::count_if(kind.steps,
                               [](const Step& step) { return !step.fan_out.is_empty(); }) <= 1);
  ASSERT(kind.limit.empty() || limits_.contains(kind.limit));
  std::string name = kind.name;
  const bool added = kinds_.emplace(std::move(name), std::move(kind)).second;
  ASSERT(added);
}

Listening Engine::on_change(Listener listener) { return listeners_.add(std::move(listener)); }

Result<KindRole> Engine::role_of(const std::string& kind) const {
  const auto found = kinds_.find(kind);
  if (found != kinds_.end()) return found->second.role;
  return base::fail_with_advice(
      Code::NotSupported,
      fmt::format("this version of granary does not know operations of the "
                  "kind {}",
                  kind),
      "Change it with the version of granary that recorded it");
}

const Kind& Engine::kind_of(const Operation& operation) const {
  const auto found = kinds_.find(operation.kind);
  INVARIANT(found != kinds_.end());
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
    TRY_ASSIGN(newest, rows::list(tx, Filter{.limit = 1}));
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

const Step* Engine::fan_out_step(const Operation& operation) const {
  const Kind& kind = kind_of(operation);
  const std::size_t index = index_of(kind, operation.step);
  if (index == kind.steps.size() || kind.steps[index].fan_out.is_empty()) return nullptr;
  return &kind.steps[index];
}

Operation Engine::make_operation(const Request& request) {
  const Kind& kind = kinds_.at(request.kind);
  Operation operation;
  operation.created = operation.updated = clock_.wall();
  operation.id = OperationId(ids_.next(operation.created, rng_));
  operation.kind = request.kind;
  operation.subject = request.subject;
  operation.step = kind.steps.front().name;
  operation.input = request.input;
  operation.actor = request.actor;
  return operation;
}

Task<Result<Operation>> Engine::submit(Request request, store::Work also) {
  CO_TRY(role_of(request.kind));
  if (tasks_.closing()) co_return base::fail(Code::Unavailable, "the control plane is stopping");
  if (live_.size() >= kMaxLive)
    co_return base::fail_with_advice(
        Code::Exhausted, fmt::format("{} operations are under way already", live_.size()),
        "Wait until some have finished (granary operation list), then try again");
  Operation operation = make_operation(request);
  bool existed = false;
  bool store_failed = true;  // unless the work has run and says otherwise
  const std::string key = request.idempotency_key;
  auto insert = [&](Transaction& tx) -> Result<void> {
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
  };
  const auto written = co_await store_.write([&](Transaction& tx) -> Result<void> {
    WatchedTransaction watched(tx);
    Result<void> done = insert(watched);
    store_failed = done.has_value() || watched.store_failed();
    return done;
  });
  if (!written && !store_failed) co_return std::unexpected(written.error());
  if (!written) co_return co_await take_up(operation.id, written.error());
  if (existed) co_return operation;
  listeners_.tell(operation);
  admit(operation);
  start_ready();
  co_return operation;
}

// After a write of which the store could not say whether it is durable: the operation if it is,
// else `doubt`.
Task<Result<Operation>> Engine::take_up(OperationId id, base::Error doubt) {
  const auto found = co_await find(id);
  if (!found && found.error().code != Code::NotFound)
    tasks_.spawn("doubt about " + id.value, take_up_later(id));
  if (!found || found->state == State::Failed) co_return std::unexpected(std::move(doubt));
  if (!is_final(found->state) && !live_.contains(id)) {
    listeners_.tell(*found);
    admit(*found);
    start_ready();
  }
  co_return *found;
}

Task<void> Engine::take_up_later(OperationId id) {
  for (bool known = false; !known;) {
    if (!co_await timer_.sleep(kStoreRetry)) co_return;
    const auto taken = co_await take_up(id, base::Error{.code = Code::NotFound, .message = {}});
    known = taken.has_value() || taken.error().code == Code::NotFound;
  }
}

void Engine::admit(Operation operation) {
  const OperationId id = operation.id;
  auto live = std::make_unique<Live>();
  of_subject_[operation.subject].insert(id);
  if (operation.parent) of_parent_[*operation.parent].insert(id);
  live->cancel_requested = operation.cancel_asked.has_value();
  live->operation = std::move(operation);
  live->ended = std::make_shared<base::Event>(executor_);
  const std::string subject = live->operation.subject;
  live_[id] = std::move(live);
  make_ready(subject);
}

// Lets the first of the subject start, unless another one runs: one that a doubtful store hid for
// a while may be older than the one that runs.
void Engine::make_ready(const std::string& subject) {
  const auto found = of_subject_.find(subject);
  if (found == of_subject_.end()) return;
  for (const OperationId& id : found->second) {
    const Live& live = *live_.at(id);
    if (live.phase == Live::Phase::Running) return;
    ready_[live.operation.kind].erase(id);
  }
  const Live& first = *live_.at(*found->second.begin());
  if (first.phase == Live::Phase::Idle) ready_[first.operation.kind].insert(first.operation.id);
}

// The oldest of those for which there is a place.
std::optional<OperationId> Engine::next_ready() const {
  std::optional<OperationId> best;
  if (running_ >= kMaxRunning) return best;
  for (const auto& [name, ids] : ready_) {
    if (ids.empty() || (best && *best < *ids.begin())) continue;
    const Kind& kind = kinds_.at(name);
    const auto running = running_of_kind_.find(name);
    if (running != running_of_kind_.end() && running->second >= kind.concurrency) continue;
    if (!kind.limit.empty()) {
      const Limit& limit = limits_.at(kind.limit);
      if (limit.running >= limit.places) continue;
    }
    best = *ids.begin();
  }
  return best;
}

void Engine::start_ready() {
  // A spawned task runs at once up to its first wait and may come back here, so all is looked up
  // again after each.
  while (!tasks_.closing()) {
    const auto id = next_ready();
    if (!id) return;
    start(*live_.at(*id));
  }
}

void Engine::start(Live& live) {
  const Kind& kind = kind_of(live.operation);
  ready_[kind.name].erase(live.operation.id);
  live.phase = Live::Phase::Running;
  live.awaits = false;
  ++running_;
  ++running_of_kind_[kind.name];
  if (!kind.limit.empty()) ++limits_.at(kind.limit).running;
  tasks_.spawn("operation " + live.operation.id.value, drive(live.operation.id));
}

void Engine::stop(Live& live) {
  const Kind& kind = kind_of(live.operation);
  --running_;
  --running_of_kind_[kind.name];
  if (!kind.limit.empty()) --limits_.at(kind.limit).running;
  live.phase = Live::Phase::Idle;
}

Task<void> Engine::drive(OperationId id) {
  Next next = Next::Continue;
  while (next == Next::Continue) next = co_await advance(id);
  const auto found = live_.find(id);
  if (found == live_.end()) co_return;
  stop(*found->second);
  const Operation operation = found->second->operation;
  if (next == Next::Finished) {
    settle(operation);
  } else {
    park(operation, next);
  }
  start_ready();
}

// Forgets a final operation, lets the next of its subject go on and wakes who waits for it.
void Engine::settle(const Operation& operation) {
  const std::shared_ptr<base::Event> ended = live_.at(operation.id)->ended;
  const auto subject = of_subject_.find(operation.subject);
  subject->second.erase(operation.id);
  live_.erase(operation.id);
  if (subject->second.empty()) of_subject_.erase(subject);
  make_ready(operation.subject);
  if (operation.parent) {
    const auto siblings = of_parent_.find(*operation.parent);
    siblings->second.erase(operation.id);
    if (siblings->second.empty()) of_parent_.erase(siblings);
    nudge(*operation.parent);
  }
  ended->notify_all();
}

// Holds no place while it waits.
void Engine::park(const Operation& operation, Next next) {
  Live& live = *live_.at(operation.id);
  live.phase = Live::Phase::Parked;
  live.awaits = next == Next::Await;
  make_ready(operation.subject);
  if (live.awaits) {
    // A child that ended, or a resumption, since it looked.
    if (live.nudged && (!is_held(live) || live.cancel_requested)) unpark(live);
    return;
  }
  INVARIANT(operation.next_attempt.has_value());
  tasks_.spawn("wait of " + operation.id.value, wake_later(operation.id, *operation.next_attempt));
}

Task<void> Engine::wake_later(OperationId id, base::WallTime at) {
  for (;;) {
    const auto found = live_.find(id);
    if (found == live_.end() || found->second->phase != Live::Phase::Parked) co_return;
    if (found->second->awaits) co_return;
    // Woken by take_up_due() and parked again: for that another one waits.
    if (found->second->operation.next_attempt != at) co_return;
    const auto left = at - clock_.wall();
    if (left <= left.zero()) break;
    const auto pause = std::clamp<std::chrono::nanoseconds>(left, kShortestWait, kLongestWait);
    if (!co_await timer_.sleep(pause)) co_return;
  }
  unpark(*live_.at(id));
  start_ready();
}

void Engine::unpark(Live& live) {
  live.phase = Live::Phase::Idle;
  live.awaits = false;
  make_ready(live.operation.subject);
}

// Whether it, or a parent above it, is paused.
bool Engine::is_held(const Live& live) const {
  if (live.operation.paused) return true;
  if (!live.operation.parent) return false;
  const auto parent = live_.find(*live.operation.parent);
  // Only what begins children is held by what is above it.
  return parent != live_.end() && fan_out_step(live.operation) != nullptr &&
         is_held(*parent->second);
}

void Engine::take_up_due() {
  const base::WallTime now = clock_.wall();
  for (const auto& [id, live] : live_) {
    const bool due =
        live->phase == Live::Phase::Parked && !live->awaits && *live->operation.next_attempt <= now;
    if (due) unpark(*live);
  }
  start_ready();
}

Task<void> Engine::close() {
  co_await tasks_.close();
  std::vector<std::shared_ptr<base::Event>> waited_for;
  for (const auto& [id, live] : live_) waited_for.push_back(live->ended);
  live_.clear();
  for (const auto& ended : waited_for) ended->notify_all();
}

}  // namespace granary::operation
