#include "agent/service.h"

#include <boost/asio/experimental/awaitable_operators.hpp>

#include "agent/limits.h"
#include "agent/service_life.h"
#include "agent/start_boost.h"
#include "base/check.h"

namespace granary::agent {

using base::BootTime;
using base::Code;
using base::Result;
using base::Task;
using std::chrono::milliseconds;

Service::Service(ServiceTools& tools, std::shared_ptr<const wire::AccountSpec> account,
                 std::size_t index)
    : tools_(tools),
      account_(std::move(account)),
      index_(index),
      released_(tools.executor),
      start_budget_(std::make_shared<StartBudget>()) {}

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

void Service::enter(LifeEvent event) {
  const std::optional<ServicePhase> next = phase_after(phase_, event);
  INVARIANT(next.has_value());
  phase_ = *next;
}

bool Service::configure(std::shared_ptr<const wire::AccountSpec> account, std::size_t index) {
  if (account->release_hash != account_->release_hash) {  // what its release did is over
    last_fault_.clear();
    last_failure_.clear();
    crashes_ = 0;
  }
  account_ = std::move(account);
  index_ = index;
  if (phase_ == ServicePhase::BackingOff) {  // another release, another chance
    enter(LifeEvent::FellAsleep);
    tools_.living.erase(this);
    crashes_ = 0;
  }
  return is_outdated();
}

bool Service::is_outdated() const {
  // Without a fingerprint it still waits for its turn, and will be planned anew.
  return awake_ && !awake_->fingerprint.empty() && awake_->fingerprint != fingerprint(plan());
}

void Service::recall(const Failures& failures) {
  if (phase_ != ServicePhase::Asleep || failures.release_hash != account_->release_hash) return;
  remembered_ = true;
  crashes_ = failures.crashes;
  last_failure_ = failures.last_failure;
  const BootTime left = failures.retry_at - tools_.clock.boot();
  if (left <= BootTime(0)) return;
  // No file makes it wait for longer than a back-off may.
  retry_at_ = tools_.clock.boot() + std::min<BootTime>(left, kLongestBackOff);
  enter(LifeEvent::Recalled);
  note_living();
}

// --- asking for it ------------------------------------------------------------------------------

Task<bool> Service::wait_for_change(std::shared_ptr<Awake> awake, BootTime deadline) {
  using base::asio::experimental::awaitable_operators::operator||;
  if (deadline == kNever) co_return (co_await awake->changed.wait()).has_value();
  const BootTime left = deadline - tools_.clock.boot();
  if (left <= BootTime(0)) co_return false;
  const auto first = co_await (awake->changed.wait() || tools_.timer.sleep(left));
  co_return first.index() == 0 && std::get<0>(first).has_value();
}

// Until when an activation that began at `asked` waits for the next change. `start_timeout` counts
// from the moment that the start has its turn: neither the end of an old life (which has a bound of
// its own) nor the starts of others count against it.
BootTime Service::patience(BootTime asked) const {
  if (phase_ != ServicePhase::Starting) return kNever;
  return awake_->has_place ? awake_->started + spec().start_timeout : asked + kPlaceLongest;
}

Task<wire::AgentResult<std::uint32_t>> Service::activate() {
  const auto refuse = [](Code code, std::string message, std::int64_t retry_ms) {
    return std::unexpected(wire::AgentError{{code, std::move(message), {}, {}}, retry_ms});
  };
  const BootTime asked = tools_.clock.boot();
  for (;;) {
    if (tools_.tasks.closing()) co_return refuse(Code::Unavailable, "the agent is stopping", 0);
    if (halted_) co_return refuse(Code::Refused, id().account.value + " is suspended", 0);
    if (held_) {
      if (!co_await released_.wait()) co_return refuse(Code::Cancelled, "nobody waits for it", 0);
      continue;
    }
    switch (phase_) {
      case ServicePhase::Running:
        // Of a life that has ended the board says so already: there is none to send anybody to.
        if (awake_->serves() && !renew_lost_door()) co_return awake_->epoch;
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
    if (!co_await wait_for_change(awake_, patience(asked)))
      co_return refuse(Code::Deadline, "it did not start in time", 1'000);
  }
}

void Service::keep_up() {
  if (spec().idle || halted_ || held_ || account_->release_hash.empty()) return;
  const bool may = phase_ == ServicePhase::Asleep ||
                   (phase_ == ServicePhase::BackingOff && tools_.clock.boot() >= retry_at_);
  if (may) (void)begin();  // refused only when the agent is closing
}

// False: the agent is closing. The life may run, and even end, before this returns.
bool Service::begin() {
  if (tools_.tasks.closing()) return false;
  enter(LifeEvent::Woken);
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
  awake->accepts = true;
  awake->answers_before = answers(*awake);
  awake->good_before = good_answers(*awake);
  enter(LifeEvent::Adopted);
  awake_ = awake;
  tools_.board.slot(awake->slot).epoch.store(awake->epoch);
  note_living();
  (void)tools_.tasks.spawn("share of " + to_string(id()),
                           end_boost_now(tools_, id(), spec().limits));
  (void)tools_.tasks.spawn("life of " + to_string(id()), live(std::move(awake)));
}

int Service::pid() const { return awake_ && awake_->silo ? awake_->silo->pid() : 0; }

wire::ServiceReport Service::report() const {
  wire::ServiceReport report;
  report.name = spec().name;
  report.phase = phase_;
  report.crashes = crashes_;
  report.last_failure = last_failure_.empty() ? last_fault_ : last_failure_;
  if (!last_failure_.empty() && phase_ == ServicePhase::Running && answered_well(*awake_) != 0)
    report.last_failure += ". It has served again since";
  report.wakes = wakes_;
  report.pid = pid();
  if (phase_ == ServicePhase::BackingOff) {
    const BootTime left = retry_at_ - tools_.clock.boot();
    report.retry_in_ms = std::max<std::int64_t>(0, std::chrono::ceil<milliseconds>(left).count());
  }
  return report;
}

}  // namespace granary::agent
