#include <algorithm>

#include "agent/failure.h"
#include "agent/limits.h"
#include "agent/service_life.h"
#include "base/log.h"

// How a service is stopped: told to, unused for its idle time, or given up on.
namespace granary::agent {

using base::BootTime;
using base::Result;
using base::Task;

void Service::tell_to_stop(Awake& awake) {
  if (awake.stop == StopWish::None) awake.stop = StopWish::Asked;
  tools_.board.slot(awake.slot).epoch.store(0);
  awake.changed.notify_all();
}

void Service::fail_life(std::string reason) {
  if (!awake_ || awake_->stop != StopWish::None) return;
  awake_->stop_reason = std::move(reason);
  awake_->stop = StopWish::Failed;
  tell_to_stop(*awake_);
}

std::string_view to_string(StopCause cause) {
  switch (cause) {
    case StopCause::Deployment:
      return "a deployment";
    case StopCause::Restart:
      return "a change of its configuration";
    case StopCause::Suspension:
      return "a suspension";
    case StopCause::LostDoor:
      return "a new socket, since its own was removed from run/";
    case StopCause::Removal:
      return "the removal of its account";
    case StopCause::Shutdown:
      return "the end of granary up";
  }
  return "";
}

// An account that is removed has no traffic, and at the end of `up` the gateway waited already.
std::chrono::milliseconds drain_time(StopCause cause, std::chrono::milliseconds stop_timeout) {
  if (cause == StopCause::Removal || cause == StopCause::Shutdown)
    return std::chrono::milliseconds(0);
  return std::min(stop_timeout, kDrainLongest);
}

std::optional<StopCause> Service::stopped_for(std::uint32_t epoch) const {
  if (epoch == 0 || !stopped_ || stopped_->first != epoch) return std::nullopt;
  return stopped_->second;
}

Task<void> Service::stop(StopCause cause) {
  const std::shared_ptr<Awake> awake = awake_;
  if (!awake) co_return;
  const BootTime drained_by = tools_.clock.boot() + drain_time(cause, awake->stop_timeout);
  const bool first = awake->stop == StopWish::None;
  awake->drained_by = first ? drained_by : std::min(awake->drained_by, drained_by);
  if (first) stopped_.emplace(awake->epoch, cause);
  tell_to_stop(*awake);
  co_await settled();
}

// Whoever removed a socket's name below run/ took it from the gateway. A socket cannot be named
// again, and the app has no other: the next life gets a new one. True: this life ends for that.
bool Service::renew_lost_door() {
  if (tools_.doors.is_found(id())) return false;
  base::log::warn("{}: its socket is gone from run/; it is restarted with a new one",
                  to_string(id()));
  awake_->door_lost = true;
  if (!tools_.tasks.spawn("new socket of " + to_string(id()), stop(StopCause::LostDoor)))
    return false;
  return awake_->stop != StopWish::None;
}

void Service::release() {
  held_ = false;
  released_.notify_all();
}

void Service::release_waiters() {
  released_.notify_all();
  if (awake_) awake_->changed.notify_all();
}

Task<void> Service::settled() {
  const std::shared_ptr<Awake> awake = awake_;
  // Until this life is over, whether or not another follows.
  while (awake && awake_ == awake && awake->stop != StopWish::None && !tools_.tasks.closing()) {
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

// When what is awake may have to be given up on as an app that accepts nothing.
BootTime Service::silent_at() const {
  if (awake_->accepts) return kNever;
  if (spec().port != 0) return awake_->started + spec().start_timeout;
  if (!awake_->ignored_since) return kNever;
  return std::max(*awake_->ignored_since, awake_->started) + spec().start_timeout;
}

// True: it was given up on.
Task<bool> Service::stop_if_silent() {
  const std::shared_ptr<Awake> awake = awake_;
  if (awake->accepts || !in_use()) co_return false;
  co_await look_for_acceptance(awake);
  if (awake != awake_ || !awake->serves() || !in_use()) co_return false;
  if (tools_.clock.boot() < silent_at()) co_return false;
  const auto ports = co_await tools_.launcher.listening_ports(id());
  if (awake != awake_ || !awake->serves()) co_return false;
  fail_life(describe_silence(spec(), ports));
  co_return true;
}

Task<Result<std::optional<BootTime>>> Service::sweep() {
  using Due = std::optional<BootTime>;
  if (phase_ == ServicePhase::BackingOff) {
    if (tools_.clock.boot() < retry_at_) co_return Due(retry_at_);
    enter(LifeEvent::FellAsleep);
    tools_.living.erase(this);
    keep_up();
  }
  if (phase_ != ServicePhase::Running || awake_->stop != StopWish::None) co_return Due();
  if (renew_lost_door()) co_return Due();
  if (co_await stop_if_silent()) co_return Due();
  if (phase_ != ServicePhase::Running || awake_->stop != StopWish::None) co_return Due();
  const BootTime now = tools_.clock.boot();
  const BootTime silent = silent_at() > now ? silent_at() : kNever;  // until somebody asks again
  const Due due = idle_at();
  if (!due && silent == kNever) co_return Due();
  if (!due || *due > now) co_return Due(std::min(due.value_or(silent), silent));
  if (!in_use() && sleep_if_unused()) co_return Due();
  co_return Due(std::min(now + *spec().idle, silent));  // in use: not idle before that
}

}  // namespace granary::agent
