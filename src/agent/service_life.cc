#include "agent/service_life.h"

#include "agent/failure.h"
#include "agent/limits.h"
#include "agent/start_boost.h"
#include "base/check.h"
#include "base/contained.h"
#include "base/log.h"

// One life after another: starting, seeing to the end, and what comes then.
namespace granary::agent {

using base::BootTime;
using base::Code;
using base::Result;
using base::Task;

Task<void> Service::live(std::shared_ptr<Awake> awake) {
  const auto lived = co_await base::contained(live_on(awake));
  if (lived || lived.error().code == Code::Cancelled) co_return;
  (void)co_await base::contained(give_up(awake, lived.error()));
}

// Errors: Cancelled, when the agent closes; the silo goes on then.
Task<Result<void>> Service::live_on(std::shared_ptr<Awake> awake) {
  for (;;) {
    std::optional<base::Error> failed;
    if (awake->silo) {  // adopted
      if (!tools_.tasks.spawn("end of " + to_string(id()), watch(awake))) co_return Result<void>();
    } else {
      auto started = co_await start_silo(awake);
      if (!started && started.error().code == Code::Cancelled)
        co_return std::unexpected(std::move(started).error());
      if (!started) failed = std::move(started).error();
    }
    if (!failed && !co_await see_to_its_end(awake)) co_return Result<void>();
    if (!co_await end_life(awake, std::move(failed))) co_return Result<void>();
  }
}

// A fault in the bookkeeping of this service costs this service alone: what runs of it is ended,
// and it backs off for as long as one can, with the fault as its reason.
Task<Result<void>> Service::give_up(std::shared_ptr<Awake> awake, base::Error fault) {
  base::log::error("{} is given up for now: {}", to_string(id()), describe(fault));
  tools_.board.slot(awake->slot).epoch.store(0);
  const auto cleaned = co_await base::contained(clean_up());
  if (!cleaned) {
    base::log::error("{}: {}", to_string(id()), describe(cleaned.error()));
    unclean_ = true;
  }
  if (awake_ != awake) co_return Result<void>();  // nobody knows of this life any more
  ++crashes_;
  last_failure_ = with_time(describe(fault));
  tools_.doors.close(id(), std::move(awake->door));
  retry_at_ = tools_.clock.boot() + kFaultBackOff;
  phase_ = ServicePhase::BackingOff;  // whatever it was: the fault may be in that very thing
  awake_.reset();
  note_living();
  awake->changed.notify_all();
  co_await remember();
  co_return Result<void>();
}

Task<Result<SiloEnd>> Service::clean_up() { co_return co_await tools_.launcher.clean_up(id()); }

Task<Result<void>> Service::start_silo(std::shared_ptr<Awake> awake) {
  CO_TRY_ASSIGN(StartGate::Place place, co_await tools_.gate.enter());
  if (unclean_) (void)co_await tools_.launcher.clean_up(id());
  unclean_ = false;
  SiloPlan wanted = plan();
  awake->fingerprint = fingerprint(wanted);
  awake->slot = wanted.spec.slot;
  awake->stop_timeout = wanted.spec.stop_timeout;
  awake->started = tools_.clock.boot();
  awake->ended = awake->accepts = false;
  awake->answers_before = answers(*awake);
  awake->good_before = good_answers(*awake);
  awake->most_waiting = 0;
  awake->taken_since = awake->ignored_since = std::nullopt;
  awake->has_place = true;
  awake->changed.notify_all();  // from now on start_timeout counts
  if (!awake->door) {
    CO_TRY_ASSIGN(awake->door, tools_.doors.open(wanted.service));
  }
  // Counted on the board, which outlives the agent: no two lives of a slot have the same epoch.
  const std::uint64_t wakes = tools_.board.slot(awake->slot).wakes.fetch_add(1) + 1;
  awake->epoch = static_cast<std::uint32_t>(wakes % 0xffffffffULL) + 1;
  wanted.epoch = awake->epoch;
  wanted.listener = awake->door.get();
  ++wakes_;
  wanted.boosted = start_budget_->left(tools_.clock.boot()) >= kBoostLeast;
  const SiloPlan started = wanted;
  CO_TRY_ASSIGN(awake->silo, co_await tools_.launcher.start(std::move(wanted)));
  watch_boost(awake, started);
  if (!tools_.tasks.spawn("end of " + to_string(id()), watch(awake)))
    co_return base::fail(Code::Cancelled, "the agent is stopping");
  open_epoch(*awake);
  (void)tools_.tasks.spawn("first connection of " + to_string(id()), await_acceptance(awake));
  co_await settle(awake);
  co_return Result<void>();
}

// Of a life that has begun with more of the CPU than its share.
void Service::watch_boost(const std::shared_ptr<Awake>& awake, const SiloPlan& plan) {
  if (!plan.boosted) return;
  BoostedLife life{
      .service = plan.service,
      .limits = plan.spec.limits,
      .slot = plan.spec.slot,
      .longest = start_budget_->left(tools_.clock.boot()),
      .accepts = [awake] { return awake->accepts; },
      .over = [awake, epoch = plan.epoch] { return awake->ended || awake->epoch != epoch; },
      .budget = start_budget_};
  (void)tools_.tasks.spawn("start of " + to_string(id()), end_boost(tools_, std::move(life)));
}

void Service::open_epoch(Awake& awake) {
  wire::BoardSlot& board = tools_.board.slot(awake.slot);
  board.last_activity.store(static_cast<std::uint64_t>(tools_.clock.boot().count()));
  if (awake.stop == StopWish::None) board.epoch.store(awake.epoch);
  enter(LifeEvent::Started);
  awake.wanted = false;  // who asked is served by this life
  awake.changed.notify_all();
  note_change();  // it has a time to sleep at now
}

// While others wait to be started: until the app has taken its first connection.
Task<void> Service::settle(std::shared_ptr<Awake> awake) {
  const BootTime deadline = tools_.clock.boot() + kSettleLongest;
  while (tools_.gate.contended() && awake->serves() && !awake->accepts &&
         tools_.doors.queued(id(), awake->door)) {
    if (!co_await wait_for_change(awake, deadline)) co_return;
  }
}

Task<void> Service::watch(std::shared_ptr<Awake> awake) {
  Silo* silo = awake->silo.get();
  const auto ended = co_await base::contained(silo->ended());
  if (!ended && ended.error().code == Code::Cancelled) co_return;
  awake->ended = true;  // or nobody can tell any more: it is cleaned up then
  awake->changed.notify_all();
}

// Until no request is under way in a life that is to stop, or their time is over: those that come
// now are held, and the gateway counts only those that this life has. False: cancelled.
Task<bool> Service::drain(std::shared_ptr<Awake> awake) {
  const wire::BoardSlot& board = tools_.board.slot(awake->slot);
  while (!awake->ended && board.in_flight.load() != 0) {
    const BootTime now = tools_.clock.boot();
    if (now >= awake->drained_by) co_return true;
    const BootTime look = std::min<BootTime>(awake->drained_by, now + kDrainLook);
    if (!co_await wait_for_change(awake, look) && tools_.clock.boot() < look) co_return false;
  }
  co_return true;
}

// False: cancelled, the silo goes on without us.
Task<bool> Service::see_to_its_end(std::shared_ptr<Awake> awake) {
  BootTime kill_at = kNever;
  while (!awake->ended) {
    if (awake->stop != StopWish::None && phase_ == ServicePhase::Running) {
      if (!co_await drain(awake)) co_return false;
      if (awake->ended) break;
      enter(LifeEvent::StopBegan);
      kill_at = tools_.clock.boot() + awake->stop_timeout + kInitGrace;
      (void)awake->silo->signal(SiloSignal::Stop);  // success also when it has ended
      awake->changed.notify_all();
    }
    if (!co_await wait_for_change(awake, kill_at) && !awake->ended) {
      if (kill_at == kNever || tools_.clock.boot() < kill_at) co_return false;
      base::log::warn("{} ignored its stop timeout and is killed", to_string(id()));
      (void)awake->silo->signal(SiloSignal::Kill);
      kill_at = kNever;
    }
  }
  co_return true;
}

std::string Service::with_time(std::string_view reason) const {
  const auto now = std::chrono::floor<std::chrono::seconds>(tools_.clock.wall());
  return fmt::format("{} {}", base::to_rfc3339(now), reason);
}

bool Service::has_served(const Awake& awake) const {
  return awake.accepts || answers(awake) > awake.answers_before;
}

// `failed`: it could not be started.
LifeEnd Service::judged(const Awake& awake, const SiloEnd& end,
                        const std::optional<base::Error>& failed) const {
  LifeEnd life;
  const bool by_itself = awake.stop == StopWish::None && !end.asked;
  const bool done =
      by_itself && end.kind == SiloEnd::Kind::Exited && end.value == 0 && has_served(awake);
  if (failed || awake.stop == StopWish::Failed)
    life.ending = Ending::Failed;
  else if (by_itself)
    life.ending = done ? Ending::Done : Ending::Failed;
  life.crashes = crashes_;
  life.lasted = tools_.clock.boot() - awake.started;
  if (!failed) life.answered = answered_well(awake);
  const bool asked_for = awake.wanted || tools_.doors.queued(id(), awake.door);
  if (!halted_ && !held_ && (asked_for || !spec().idle)) life.demand = Demand::Some;
  return life;
}

// True: another life begins at once. False: it is asleep or backing off now.
Task<bool> Service::end_life(std::shared_ptr<Awake> awake, std::optional<base::Error> failed) {
  tools_.board.slot(awake->slot).epoch.store(0);
  const SiloEnd end = co_await tools_.launcher.clean_up(id());
  awake->silo.reset();
  const LifeEnd life = judged(*awake, end, failed);
  const Verdict verdict = judge(life, tools_.rng.unit());
  crashes_ = verdict.crashes;
  retry_at_ = tools_.clock.boot() + verdict.pause;
  if (life.ending == Ending::Failed) {
    const std::string reason = failed                            ? describe(*failed)
                               : awake->stop == StopWish::Failed ? awake->stop_reason
                                                                 : describe_end(end, spec());
    base::log::warn("{} failed, {} in a row: {}", to_string(id()), crashes_,
                    base::log::escape(reason));
    last_failure_ = with_time(reason);
  } else {
    last_failure_.clear();
  }
  awake->stop = StopWish::None;
  awake->drained_by = BootTime(0);
  if (std::exchange(awake->door_lost, false)) tools_.doors.close(id(), std::move(awake->door));
  awake->wanted = false;
  awake->has_place = false;
  co_await remember();
  // Who asked while this was written down is served by the next life as well.
  const bool again = verdict.next == Verdict::Next::StartAgain ||
                     (verdict.next == Verdict::Next::Sleep && awake->wanted && !halted_ && !held_);
  if (again && !tools_.tasks.closing()) {
    enter(LifeEvent::StartsAgain);
    awake->changed.notify_all();
    co_return true;
  }
  finish(awake, verdict);
  co_return false;
}

void Service::finish(const std::shared_ptr<Awake>& awake, const Verdict& verdict) {
  tools_.doors.close(id(), std::move(awake->door));
  if (verdict.next == Verdict::Next::BackOff) {
    enter(LifeEvent::BackedOff);
    note_change();  // its pause may be over before anything else is due
  } else {
    enter(LifeEvent::FellAsleep);
    tools_.living.erase(this);
  }
  awake_.reset();
  awake->changed.notify_all();
}

// What the next agent must know, where there is anything.
Task<void> Service::remember() {
  if (crashes_ == 0 && !remembered_) co_return;
  const Failures failures{.service = id(),
                          .release_hash = account_->release_hash,
                          .crashes = crashes_,
                          .retry_at = retry_at_,
                          .last_failure = last_failure_};
  const auto kept = co_await base::run_on(tools_.worker, [this, &failures] {
    return failures.crashes == 0 ? tools_.memory.forget(failures.service)
                                 : tools_.memory.save(failures);
  });
  remembered_ = failures.crashes != 0;
  if (!kept)
    base::log::warn("a restart of the agent forgets how {} fails: {}", to_string(failures.service),
                    describe(kept.error()));
}

}  // namespace granary::agent
