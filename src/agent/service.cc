#include "agent/service.h"

#include <boost/asio/experimental/awaitable_operators.hpp>

#include "agent/failure.h"
#include "agent/limits.h"
#include "base/check.h"
#include "base/log.h"

namespace granary::agent {

using base::BootTime;
using base::Code;
using base::Result;
using base::Task;
using std::chrono::milliseconds;

// What there is of a service only while it is awake.
struct Service::Awake {
  explicit Awake(const base::asio::any_io_executor& executor) : changed(executor) {}

  base::Event changed;         // phase, wish or end
  std::unique_ptr<Silo> silo;  // Running and Stopping
  base::os::Fd door;
  std::uint32_t epoch = 0;
  std::uint32_t slot = 0;  // of the spec that this life was started with
  milliseconds stop_timeout{0};
  std::string fingerprint;
  BootTime started{0};
  StopWish stop = StopWish::None;
  std::string stop_reason;  // StopWish::Failed
  bool wanted = false;      // somebody asked while it was not serving
  bool ended = false;
  bool heard = false;  // port mode: known to listen
};

Service::Service(ServiceTools& tools, std::shared_ptr<const wire::AccountSpec> account,
                 std::size_t index)
    : tools_(tools), account_(std::move(account)), index_(index) {}

Service::~Service() {
  ASSERT(!awake_ || tools_.tasks.closing());
  tools_.living.erase(this);
}

SiloPlan Service::plan() const {
  SiloPlan plan;
  plan.service = id();
  plan.uid = tools_.uid_base + account_->ordinal;
  plan.spec = spec();
  plan.release_hash = account_->release_hash;
  plan.release_name = account_->release_name;
  plan.config_json = account_->config_json;
  plan.secrets = account_->secrets;
  return plan;
}

wire::BoardSlot& Service::slot() const {
  return tools_.board.slot(awake_ ? awake_->slot : spec().slot);
}

void Service::enter(ServicePhase next) {
  ASSERT(may_follow(phase_, next));
  phase_ = next;
}

bool Service::configure(std::shared_ptr<const wire::AccountSpec> account, std::size_t index) {
  account_ = std::move(account);
  index_ = index;
  if (phase_ == ServicePhase::BackingOff) {  // another release, another chance
    enter(ServicePhase::Asleep);
    tools_.living.erase(this);
    crashes_ = 0;
  }
  return is_outdated();
}

bool Service::is_outdated() const {
  // Without a fingerprint it still waits for its turn, and will be planned anew.
  return awake_ && !awake_->fingerprint.empty() && awake_->fingerprint != fingerprint(plan());
}

// --- asking for it ------------------------------------------------------------------------------

Task<bool> Service::wait_for_change(std::shared_ptr<Awake> awake, BootTime deadline) {
  using base::asio::experimental::awaitable_operators::operator||;
  const BootTime left = deadline - tools_.clock.boot();
  if (left <= BootTime(0)) co_return false;
  const auto first = co_await (awake->changed.wait() || tools_.timer.sleep(left));
  co_return first.index() == 0 && std::get<0>(first).has_value();
}

Task<wire::AgentResult<std::uint32_t>> Service::activate() {
  const auto refuse = [](Code code, std::string message, std::int64_t retry_ms) {
    return std::unexpected(wire::AgentError{{code, std::move(message), {}, {}}, retry_ms});
  };
  const BootTime deadline = tools_.clock.boot() + spec().start_timeout;
  for (;;) {
    if (halted_) co_return refuse(Code::Refused, id().account.value + " is suspended", 0);
    switch (phase_) {
      case ServicePhase::Running:
        if (awake_->stop == StopWish::None) co_return awake_->epoch;
        break;
      case ServicePhase::BackingOff: {
        const BootTime left = retry_at_ - tools_.clock.boot();
        if (left > BootTime(0))
          co_return refuse(Code::Unavailable, "it failed to start and is given a pause",
                           std::chrono::ceil<milliseconds>(left).count());
        if (!begin()) co_return refuse(Code::Unavailable, "the agent is stopping", 0);
        continue;  // it may be over already
      }
      case ServicePhase::Asleep:
        if (!begin()) co_return refuse(Code::Unavailable, "the agent is stopping", 0);
        continue;
      case ServicePhase::Starting:
      case ServicePhase::Stopping:
        break;
    }
    awake_->wanted = true;
    if (!co_await wait_for_change(awake_, deadline))
      co_return refuse(Code::Deadline, "it did not start in time", 1'000);
  }
}

void Service::keep_up() {
  if (spec().idle || halted_ || account_->release_hash.empty()) return;
  const bool may = phase_ == ServicePhase::Asleep ||
                   (phase_ == ServicePhase::BackingOff && tools_.clock.boot() >= retry_at_);
  if (may) (void)begin();  // refused only when the agent is closing
}

// False: the agent is closing. The life may run, and even end, before this returns.
bool Service::begin() {
  if (tools_.tasks.closing()) return false;
  enter(ServicePhase::Starting);
  awake_ = std::make_shared<Awake>(tools_.executor);
  awake_->wanted = true;
  note_living();
  return tools_.tasks.spawn("life of " + to_string(id()), live(awake_));
}

void Service::note_living() {
  tools_.living[this] = weak_from_this();
  note_change();
}

void Service::note_change() {
  ++tools_.changes;
  tools_.awake.notify_all();
}

void Service::adopt(AdoptedSilo found) {
  if (tools_.tasks.closing()) return;
  auto awake = std::make_shared<Awake>(tools_.executor);
  awake->silo = std::move(found.silo);
  awake->door = std::move(found.listener);
  awake->epoch = found.epoch;
  awake->fingerprint = std::move(found.fingerprint);
  awake->slot = spec().slot;
  awake->stop_timeout = spec().stop_timeout;
  awake->started = tools_.clock.boot();
  awake->heard = true;
  enter(ServicePhase::Running);
  awake_ = awake;
  tools_.board.slot(awake->slot).epoch.store(awake->epoch);
  note_living();
  (void)tools_.tasks.spawn("life of " + to_string(id()), live(std::move(awake)));
}

// --- one life after another ---------------------------------------------------------------------

Task<void> Service::live(std::shared_ptr<Awake> awake) {
  for (;;) {
    std::optional<base::Error> failed;
    if (awake->silo) {  // adopted
      if (!tools_.tasks.spawn("end of " + to_string(id()), watch(awake))) co_return;
    } else {
      auto started = co_await start_silo(awake);
      if (!started && started.error().code == Code::Cancelled) co_return;
      if (!started) failed = std::move(started).error();
    }
    if (!failed && !co_await see_to_its_end(awake)) co_return;
    if (!co_await end_life(awake, std::move(failed))) co_return;
  }
}

Task<Result<void>> Service::start_silo(std::shared_ptr<Awake> awake) {
  CO_TRY_ASSIGN(StartGate::Place place, co_await tools_.gate.enter());
  SiloPlan wanted = plan();
  awake->fingerprint = fingerprint(wanted);
  awake->slot = wanted.spec.slot;
  awake->stop_timeout = wanted.spec.stop_timeout;
  awake->started = tools_.clock.boot();
  awake->ended = awake->heard = false;
  if (!awake->door) {
    CO_TRY_ASSIGN(awake->door, tools_.doors.open(wanted.service));
  }
  // Counted on the board, which outlives the agent: no two lives of a slot have the same epoch.
  const std::uint64_t wakes = tools_.board.slot(awake->slot).wakes.fetch_add(1) + 1;
  awake->epoch = static_cast<std::uint32_t>(wakes % 0xffffffffULL) + 1;
  wanted.epoch = awake->epoch;
  wanted.listener = awake->door.get();
  ++wakes_;
  CO_TRY_ASSIGN(awake->silo, co_await tools_.launcher.start(std::move(wanted)));
  if (!tools_.tasks.spawn("end of " + to_string(id()), watch(awake)))
    co_return base::fail(Code::Cancelled, "the agent is stopping");
  open_epoch(*awake);
  co_await settle(awake);
  co_return Result<void>();
}

void Service::open_epoch(Awake& awake) {
  wire::BoardSlot& board = tools_.board.slot(awake.slot);
  board.last_activity.store(static_cast<std::uint64_t>(tools_.clock.boot().count()));
  if (awake.stop == StopWish::None) board.epoch.store(awake.epoch);
  enter(ServicePhase::Running);
  awake.wanted = false;  // who asked is served by this life
  awake.changed.notify_all();
  note_change();  // it has a time to sleep at now
}

// While others wait to be started: until the app has taken its first connection.
Task<void> Service::settle(std::shared_ptr<Awake> awake) {
  const BootTime deadline = tools_.clock.boot() + kSettleLongest;
  while (tools_.gate.contended() && !awake->ended && tools_.clock.boot() < deadline &&
         tools_.doors.queued(id(), awake->door)) {
    if (!co_await tools_.timer.sleep(kSettlePoll)) co_return;
  }
}

Task<void> Service::watch(std::shared_ptr<Awake> awake) {
  Silo* silo = awake->silo.get();
  if (!co_await silo->ended()) co_return;
  awake->ended = true;
  awake->changed.notify_all();
}

// False: cancelled, the silo goes on without us.
Task<bool> Service::see_to_its_end(std::shared_ptr<Awake> awake) {
  constexpr BootTime kNever = BootTime::max();
  BootTime kill_at = kNever;
  while (!awake->ended) {
    if (awake->stop != StopWish::None && phase_ == ServicePhase::Running) {
      enter(ServicePhase::Stopping);
      kill_at = tools_.clock.boot() + awake->stop_timeout + kInitGrace;
      (void)awake->silo->signal(SiloSignal::Stop);  // success also when it has ended
      awake->changed.notify_all();
    }
    if (kill_at == kNever) {
      if (!co_await awake->changed.wait()) co_return false;
    } else if (!co_await wait_for_change(awake, kill_at) && !awake->ended) {
      if (tools_.clock.boot() < kill_at) co_return false;
      base::log::warn("{} ignored its stop timeout and is killed", to_string(id()));
      (void)awake->silo->signal(SiloSignal::Kill);
      kill_at = kNever;
    }
  }
  co_return true;
}

// True: another life begins at once. False: it is asleep or backing off now.
Task<bool> Service::end_life(std::shared_ptr<Awake> awake, std::optional<base::Error> failed) {
  tools_.board.slot(awake->slot).epoch.store(0);
  const SiloEnd end = co_await tools_.launcher.clean_up(id());
  awake->silo.reset();
  const bool asked = awake->stop == StopWish::Asked || (end.asked && !failed);
  LifeEnd life;
  life.ending = asked && awake->stop != StopWish::Failed ? Ending::Asked : Ending::Failed;
  life.crashes = crashes_;
  life.lasted = tools_.clock.boot() - awake->started;
  const bool asked_for = awake->wanted || tools_.doors.queued(id(), awake->door);
  if (!halted_ && (asked_for || !spec().idle)) life.demand = Demand::Some;
  const Verdict verdict = judge(life, tools_.rng.unit());
  crashes_ = verdict.crashes;
  if (life.ending == Ending::Failed) {
    last_failure_ = failed                            ? describe(*failed)
                    : awake->stop == StopWish::Failed ? awake->stop_reason
                                                      : describe_end(end, spec());
    base::log::warn("{} failed, {} in a row: {}", to_string(id()), crashes_,
                    base::log::escape(last_failure_));
  } else {
    last_failure_.clear();
  }
  awake->stop = StopWish::None;
  awake->wanted = false;
  if (verdict.next == Verdict::Next::StartAgain && !tools_.tasks.closing()) {
    if (phase_ != ServicePhase::Starting) enter(ServicePhase::Starting);
    awake->changed.notify_all();
    co_return true;
  }
  finish(awake, verdict);
  co_return false;
}

void Service::finish(const std::shared_ptr<Awake>& awake, const Verdict& verdict) {
  tools_.doors.close(id(), std::move(awake->door));
  if (verdict.next == Verdict::Next::BackOff) {
    retry_at_ = tools_.clock.boot() + verdict.pause;
    enter(ServicePhase::BackingOff);
  } else {
    enter(ServicePhase::Asleep);
    tools_.living.erase(this);
  }
  awake_.reset();
  awake->changed.notify_all();
}

// --- stopping it --------------------------------------------------------------------------------

void Service::tell_to_stop(Awake& awake) {
  if (awake.stop == StopWish::None) awake.stop = StopWish::Asked;
  tools_.board.slot(awake.slot).epoch.store(0);
  awake.changed.notify_all();
}

Task<void> Service::stop() {
  const std::shared_ptr<Awake> awake = awake_;
  if (!awake) co_return;
  tell_to_stop(*awake);
  co_await settled();
}

Task<void> Service::settled() {
  const std::shared_ptr<Awake> awake = awake_;
  // Until this life is over, whether or not another follows.
  while (awake && awake_ == awake && awake->stop != StopWish::None) {
    if (!co_await awake->changed.wait()) co_return;
  }
}

bool Service::in_use() const { return slot().in_flight.load() != 0; }

base::BootTime Service::last_used() const {
  const BootTime active(static_cast<std::int64_t>(slot().last_activity.load()));
  return std::max(active, awake_ ? awake_->started : BootTime(0));
}

std::optional<BootTime> Service::idle_at() const {
  if (phase_ != ServicePhase::Running || awake_->stop != StopWish::None || !spec().idle)
    return std::nullopt;
  return idle_until(awake_->started, last_used(), *spec().idle);
}

bool Service::sleep_if_unused() {
  if (phase_ != ServicePhase::Running || awake_->stop != StopWish::None) return false;
  wire::BoardSlot& board = slot();
  // The handshake of wire/activity_board.h: the gateway counts first and reads the epoch then.
  board.epoch.store(0);
  if (board.in_flight.load() != 0) {
    board.epoch.store(awake_->epoch);
    return false;
  }
  tell_to_stop(*awake_);
  return true;
}

Task<std::optional<BootTime>> Service::sweep() {
  const BootTime now = tools_.clock.boot();
  if (phase_ == ServicePhase::BackingOff) {
    if (now < retry_at_) co_return retry_at_;
    enter(ServicePhase::Asleep);
    tools_.living.erase(this);
    keep_up();
  }
  if (phase_ != ServicePhase::Running || awake_->stop != StopWish::None) co_return std::nullopt;
  const std::shared_ptr<Awake> awake = awake_;
  BootTime look_again = BootTime::max();
  if (spec().port != 0 && !awake->heard) look_again = awake->started + spec().start_timeout;
  if (look_again <= now) {
    look_again = BootTime::max();
    const auto listens = co_await tools_.launcher.listens(id());
    if (awake != awake_ || awake->stop != StopWish::None) co_return std::nullopt;
    awake->heard = listens && *listens;
    if (!awake->heard && in_use()) {
      awake->stop_reason = describe_silence(spec());
      awake->stop = StopWish::Failed;
      tell_to_stop(*awake);
      co_return std::nullopt;
    }
  }
  const std::optional<BootTime> due = idle_at();
  if (!due && look_again == BootTime::max()) co_return std::nullopt;
  if (!due || *due > now) co_return std::min(due.value_or(look_again), look_again);
  if (!in_use() && sleep_if_unused()) co_return std::nullopt;
  co_return std::min(now + *spec().idle, look_again);  // in use: not idle before that
}

wire::ServiceReport Service::report() const {
  wire::ServiceReport report;
  report.name = spec().name;
  report.phase = phase_;
  report.crashes = crashes_;
  report.last_failure = last_failure_;
  report.wakes = wakes_;
  if (awake_ && awake_->silo) report.pid = awake_->silo->pid();
  if (phase_ == ServicePhase::BackingOff) {
    const BootTime left = retry_at_ - tools_.clock.boot();
    report.retry_in_ms = std::max<std::int64_t>(0, std::chrono::ceil<milliseconds>(left).count());
  }
  return report;
}

}  // namespace granary::agent
