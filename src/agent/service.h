// One service of one account: asleep, or living one life after another. Owns its phase, its door
// and its running silo; everything that starts or ends a life goes through here. Lives on the
// agent's executor. Which services there are, and what they are to be, is the Account's business.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "agent/doors.h"
#include "agent/failure_memory.h"
#include "agent/life_cycle.h"
#include "agent/silo_launcher.h"
#include "agent/start_gate.h"
#include "base/clock.h"
#include "base/event.h"
#include "base/rng.h"
#include "base/task_group.h"
#include "base/timer.h"
#include "base/worker.h"
#include "wire/activity_board.h"
#include "wire/agent_protocol.h"

namespace granary::agent {

class Service;
class StartBudget;

// Why a service that may be in use is stopped. But for the last two, requests under way are waited
// for first (`drain_time`).
enum class StopCause { Deployment, Restart, Suspension, LostDoor, Removal, Shutdown };
std::string_view to_string(StopCause cause);
// How long the requests under way may take until the app is told to stop.
std::chrono::milliseconds drain_time(StopCause cause, std::chrono::milliseconds stop_timeout);

// What every service needs; all outlive it.
struct ServiceTools {
  base::asio::any_io_executor executor;
  const base::Clock& clock;
  base::Timer& timer;
  base::Rng& rng;
  base::Worker& worker;
  SiloLauncher& launcher;
  Doors& doors;
  wire::ActivityBoard& board;
  StartGate& gate;
  base::TaskGroup& tasks;
  const FailureMemory memory;
  std::uint32_t uid_base;
  // The services that are not asleep: what a sweep looks at.
  std::unordered_map<Service*, std::weak_ptr<Service>>& living;
  base::Event& awake;  // notified when one joins them, or is due at another time: with `changes`
  std::uint64_t changes = 0;
};

// Held by shared_ptr: its account owns it, and so does whoever waits for it.
class Service final : public std::enable_shared_from_this<Service> {
 public:
  // `index` is the service's place in the account's spec.
  Service(ServiceTools& tools, std::shared_ptr<const wire::AccountSpec> account, std::size_t index);
  ~Service();
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  const wire::ServiceSpec& spec() const { return account_->services[index_]; }
  base::ServiceId id() const { return {account_->account, spec().name}; }
  ServicePhase phase() const { return phase_; }

  // Whether what runs is not what it is to be, and must be stopped to be replaced.
  bool is_outdated() const;
  // From now on it is to be this. True: it is outdated.
  bool configure(std::shared_ptr<const wire::AccountSpec> account, std::size_t index);

  // The epoch of a life that requests may be sent to; joins a start under way. Errors: Refused
  // (halted), Unavailable (backing off; says for how long), Deadline, Cancelled.
  base::Task<wire::AgentResult<std::uint32_t>> activate();
  // Goes on with the back-off that an earlier agent had come to. Only while asleep; of another
  // release it is forgiven.
  void recall(const Failures& failures);
  // Takes over a silo from an earlier agent. Only while asleep or backing off.
  void adopt(AdoptedSilo silo);
  // Something is left of an earlier life that could not be cleared away.
  void note_unclean() { unclean_ = true; }
  // Begins a life without a request, where the service is never to sleep and may live.
  void keep_up();

  // Stops the silo, if there is one; resolves when there is none. From now on it gets no new
  // request: they wait for the next life. Those under way are waited for, as long as `cause` says.
  // A later activation starts it again, unless it is halted.
  base::Task<void> stop(StopCause cause);
  // Resolves when a stop that is under way is over.
  base::Task<void> settled();
  // Activations wait, and nothing starts, until released: its disk is worked on. Call stop() as
  // well.
  void hold() { held_ = true; }
  void release();
  // Refuses activations until resume(). Call stop() as well.
  void halt() { halted_ = true; }
  // Those who wait for it look again: the agent closes, and nothing will change any more.
  void release_waiters();
  void resume() { halted_ = false; }
  bool halted() const { return halted_; }

  // Stops a running silo that nobody uses now. False: somebody does, or nothing runs.
  bool sleep_if_unused();
  // When the idle time will be over if nobody comes; nothing while it is not running, is in use,
  // or never sleeps.
  std::optional<base::BootTime> idle_at() const;
  // What sweeping is for: sleeps when idle, gives up on an app that accepts nothing, and lets a
  // back-off end. The next time that something may be due.
  base::Task<base::Result<std::optional<base::BootTime>>> sweep();
  // Ends its present life as a failed one, with this reason for people. Nothing while none serves.
  void fail_life(std::string reason);

  base::BootTime last_used() const;
  bool in_use() const;
  int pid() const;  // of its silo; 0: none
  wire::ServiceReport report() const;
  // Why the app failed a request, with a time: in the report while no life has failed.
  void note_fault(std::string fault) { last_fault_ = std::move(fault); }
  // Why the life of this epoch was told to stop. Nothing: it was not, or is forgotten.
  std::optional<StopCause> stopped_for(std::uint32_t epoch) const;

 private:
  struct Awake;
  enum class StopWish { None, Asked, Failed };
  static constexpr base::BootTime kNever = base::BootTime::max();

  SiloPlan plan() const;
  wire::BoardSlot& slot() const;
  void enter(LifeEvent event);
  bool begin();
  void note_living();
  void note_change();
  base::Task<void> live(std::shared_ptr<Awake> awake);
  base::Task<base::Result<void>> live_on(std::shared_ptr<Awake> awake);
  base::Task<base::Result<void>> give_up(std::shared_ptr<Awake> awake, base::Error fault);
  base::Task<base::Result<SiloEnd>> clean_up();
  base::Task<base::Result<void>> start_silo(std::shared_ptr<Awake> awake);
  base::Task<void> settle(std::shared_ptr<Awake> awake);
  void watch_boost(const std::shared_ptr<Awake>& awake, const SiloPlan& plan);
  base::Task<bool> see_to_its_end(std::shared_ptr<Awake> awake);
  base::Task<bool> drain(std::shared_ptr<Awake> awake);
  base::Task<void> watch(std::shared_ptr<Awake> awake);
  base::Task<bool> end_life(std::shared_ptr<Awake> awake, std::optional<base::Error> failed);
  void tell_to_stop(Awake& awake);
  void open_epoch(Awake& awake);
  LifeEnd judged(const Awake& awake, const SiloEnd& end,
                 const std::optional<base::Error>& failed) const;
  std::string with_time(std::string_view reason) const;
  bool has_served(const Awake& awake) const;
  bool renew_lost_door();
  void finish(const std::shared_ptr<Awake>& awake, const Verdict& verdict);
  base::Task<void> remember();
  base::Task<bool> wait_for_change(std::shared_ptr<Awake> awake, base::BootTime deadline);
  base::BootTime patience(base::BootTime asked) const;
  std::uint64_t answers(const Awake& awake) const;
  std::uint64_t good_answers(const Awake& awake) const;
  std::uint64_t answered_well(const Awake& awake) const;
  bool accepted_on_door(Awake& awake) const;
  base::Task<void> look_for_acceptance(std::shared_ptr<Awake> awake);
  base::Task<base::Result<void>> looked_for_acceptance(std::shared_ptr<Awake> awake);
  base::Task<void> await_acceptance(std::shared_ptr<Awake> awake);
  base::BootTime silent_at() const;
  base::Task<bool> stop_if_silent();

  ServiceTools& tools_;
  std::shared_ptr<const wire::AccountSpec> account_;  // shared with the Account and its services
  std::size_t index_;
  ServicePhase phase_ = ServicePhase::Asleep;
  bool halted_ = false;
  bool held_ = false;
  base::Event released_;
  // Exactly in Starting, Running and Stopping; its life is a task. Owned by this, by that task,
  // and by those who wait for it to change.
  std::shared_ptr<Awake> awake_;
  std::uint32_t crashes_ = 0;  // in a row
  std::uint32_t wakes_ = 0;
  base::BootTime retry_at_{0};  // BackingOff only
  std::string last_failure_;    // with its time
  std::string last_fault_;      // of this release
  bool unclean_ = false;  // something may be left of an earlier life: the next start clears it away
  // The last life that was told to stop while it might be in use.
  std::optional<std::pair<std::uint32_t, StopCause>> stopped_;
  bool remembered_ = false;                    // there is a file of its failures
  std::shared_ptr<StartBudget> start_budget_;  // owned by this and by the task that ends a boost
};

}  // namespace granary::agent
