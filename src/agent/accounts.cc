#include "agent/accounts.h"

#include <boost/asio/experimental/awaitable_operators.hpp>

#include "agent/disk_problem.h"
#include "agent/limits.h"
#include "agent/warm_set.h"
#include "base/check.h"
#include "base/contained.h"
#include "base/log.h"
#include "base/os/file.h"

namespace granary::agent {

using base::AccountId;
using base::BootTime;
using base::Code;
using base::Result;
using base::ServiceId;
using base::Task;
using SpecPointer = std::shared_ptr<const wire::AccountSpec>;

Accounts::Accounts(AccountsOptions options, AccountsParts parts)
    : options_(std::move(options)),
      parts_(std::move(parts)),
      files_(options_.paths),
      tasks_(parts_.executor),
      awake_(parts_.executor),
      gate_(parts_.executor, options_.start_places),
      transfers_(parts_.executor, kTransfersAtOnce),
      tools_{.executor = parts_.executor,
             .clock = parts_.clock,
             .timer = parts_.timer,
             .rng = parts_.rng,
             .worker = parts_.worker,
             .launcher = parts_.launcher,
             .doors = parts_.doors,
             .board = parts_.board,
             .gate = gate_,
             .tasks = tasks_,
             .memory = FailureMemory(options_.paths),
             .uid_base = options_.uid_base,
             .living = living_,
             .awake = awake_},
      locks_(parts_.executor) {}

Accounts::~Accounts() = default;

// --- looking ------------------------------------------------------------------------------------

std::shared_ptr<Service> Accounts::find(const ServiceId& id) const {
  const auto account = accounts_.find(id.account);
  if (account == accounts_.end()) return nullptr;
  for (const auto& service : account->second.services) {
    if (service->spec().name == id.service) return service;
  }
  return nullptr;
}

bool Accounts::has_service(const ServiceId& service) const { return find(service) != nullptr; }

// --- changing -----------------------------------------------------------------------------------

Task<Result<void>> Accounts::check(wire::AccountSpec spec) const {
  const auto known = accounts_.find(spec.account);
  if (known != accounts_.end()) {
    const wire::AccountSpec& now = *known->second.spec;
    if (spec.version < now.version || (spec.version == now.version && spec != now))
      co_return base::fail(Code::Conflict, "version {} of account {} comes after version {}",
                           spec.version, spec.account.value, now.version);
    if (spec.ordinal != now.ordinal)
      co_return base::fail(Code::InvalidArgument, "the ordinal of account {} cannot change",
                           spec.account.value);
  }
  for (const auto& [id, other] : accounts_) {
    if (id != spec.account && other.spec->ordinal == spec.ordinal)
      co_return base::fail(Code::Conflict, "account {} has this ordinal already", id.value);
  }
  const std::string release =
      spec.release_hash.empty() ? "" : options_.paths.release(spec.release_hash);
  if (!release.empty() && !base::os::exists(release))
    co_return base::fail_with_advice(Code::NotFound,
                                     "release " + spec.release_hash + " is not unpacked here",
                                     "Unpack it first");
  co_return Result<void>();
}

// The disk comes first: an account that was saved has one, and one whose disk is broken does not
// get an empty one in silence. Suspended it is taken as it is, so that its data can be imported.
Task<Result<void>> Accounts::make_real(SpecPointer spec) {
  const auto known = accounts_.find(spec->account);
  const std::uint64_t promised = known == accounts_.end() ? 0 : known->second.spec->disk_bytes;
  const bool had_disk = known != accounts_.end() || damaged_.contains(spec->account);
  co_return co_await base::run_on(
      parts_.worker, [this, spec, had_disk, promised]() -> Result<void> {
        const AccountId& id = spec->account;
        const std::string problem =
            had_disk ? problem_of(parts_.volumes.use(id), promised) : std::string();
        if (!problem.empty() && spec->traffic != wire::Traffic::Suspended)
          return base::fail_with_advice(
              Code::DataLoss, fmt::format("account {}: {}", id.value, problem),
              "Restore its data; or make it anew, with an empty disk: granary drift --repair "
              "--recreate " +
                  id.value);
        TRY(files_.prepare(id));
        const DiskOptions disk{spec->disk_bytes, options_.uid_base + spec->ordinal};
        if (problem.empty()) TRY(parts_.volumes.make(id, disk));
        return files_.save(*spec);
      });
}

// Only where another release is to take traffic: whatever became of this machine's programs, an
// account can be suspended, moved to another plan, and destroyed.
Task<Result<void>> Accounts::check_commands(SpecPointer spec) {
  const auto known = accounts_.find(spec->account);
  const bool same =
      known != accounts_.end() && known->second.spec->release_hash == spec->release_hash;
  if (!options_.check_command || same || spec->release_hash.empty() ||
      spec->traffic == wire::Traffic::Suspended)
    co_return Result<void>();
  co_return co_await base::run_on(parts_.worker, [this, spec]() -> Result<void> {
    for (const wire::ServiceSpec& service : spec->services)
      TRY(options_.check_command(service, options_.paths.release(spec->release_hash)));
    return {};
  });
}

namespace {

// Nothing starts in these while this lives.
class Holding final {
 public:
  explicit Holding(std::vector<std::shared_ptr<Service>> services)
      : services_(std::move(services)) {
    for (const auto& service : services_) service->hold();
  }
  ~Holding() {
    for (const auto& service : services_) service->release();
  }
  Holding(const Holding&) = delete;
  Holding& operator=(const Holding&) = delete;

 private:
  const std::vector<std::shared_ptr<Service>> services_;  // of one account, which owns them
};

}  // namespace

// Why its services are stopped, where they are, to come to this.
StopCause Accounts::cause_of(const wire::AccountSpec& spec) const {
  if (spec.traffic == wire::Traffic::Suspended) return StopCause::Suspension;
  const auto known = accounts_.find(spec.account);
  const bool same =
      known != accounts_.end() && known->second.spec->release_hash == spec.release_hash;
  return same ? StopCause::Restart : StopCause::Deployment;
}

// No disk grows while it is mounted: that takes a capability which many machines do not give. So
// what runs is stopped, and who comes meanwhile waits.
Task<Result<void>> Accounts::grow_disk(SpecPointer spec) {
  Result<void> made;
  const std::vector<std::shared_ptr<Service>> services = accounts_.at(spec->account).services;
  {
    // Who is released runs only after take_over() has said what the services are to be.
    const Holding holding(services);
    co_await stop_all(services, cause_of(*spec));
    made = co_await make_real(spec);
  }
  if (!made)
    for (const auto& service : services) service->keep_up();
  co_return made;
}

Task<Result<void>> Accounts::apply(wire::AccountSpec wanted) {
  CO_TRY_ASSIGN(const KeyedLock::Held held, co_await locks_.lock(wanted.account.value));
  CO_TRY(co_await check(wanted));
  const auto spec = std::make_shared<const wire::AccountSpec>(std::move(wanted));
  CO_TRY(co_await check_commands(spec));
  const auto known = accounts_.find(spec->account);
  const bool grows = known != accounts_.end() && known->second.spec->disk_bytes < spec->disk_bytes;
  CO_TRY(co_await (grows ? grow_disk(spec) : make_real(spec)));
  damaged_.erase(spec->account);
  co_await take_over(spec);
  co_return Result<void>();
}

// From here on the spec is in force: what differs from it is stopped, and wakes as the new.
Task<void> Accounts::take_over(SpecPointer spec) {
  const StopCause cause = cause_of(*spec);
  Account& account = accounts_[spec->account];
  std::vector<std::shared_ptr<Service>> before = std::move(account.services);
  account.services.clear();
  account.spec = spec;
  std::vector<std::shared_ptr<Service>> outdated;
  for (std::size_t i = 0; i < spec->services.size(); ++i) {
    const auto same = std::ranges::find_if(before, [&](const auto& service) {
      return service && service->spec().name == spec->services[i].name;
    });
    if (same == before.end()) {
      account.services.push_back(std::make_shared<Service>(tools_, spec, i));
      continue;
    }
    account.services.push_back(std::move(*same));
    same->reset();
    if (account.services.back()->configure(spec, i)) outdated.push_back(account.services.back());
  }
  for (auto& gone : before) {
    if (!gone) continue;
    gone->halt();
    outdated.push_back(std::move(gone));
  }
  const auto present = account.services;  // `account` may move while we wait
  for (const auto& service : present) {
    if (spec->traffic == wire::Traffic::Suspended) {
      service->halt();
      outdated.push_back(service);
    } else {
      service->resume();
    }
  }
  co_await stop_all(std::move(outdated), cause);
  for (const auto& service : present) service->keep_up();
}

Task<void> Accounts::stop_one(std::shared_ptr<Service> service, StopCause cause,
                              std::shared_ptr<base::Event> done,
                              std::shared_ptr<std::size_t> left) {
  co_await service->stop(cause);
  if (--*left == 0) done->notify_all();
}

Task<void> Accounts::stop_all(std::vector<std::shared_ptr<Service>> services, StopCause cause) {
  // Owned by this task and by those that it waits for.
  auto done = std::make_shared<base::Event>(parts_.executor);
  auto left = std::make_shared<std::size_t>(services.size());
  for (const auto& service : services) {
    if (!tasks_.spawn("stop", stop_one(service, cause, done, left))) --*left;
  }
  while (*left > 0) {
    if (!co_await done->wait()) co_return;
  }
}

Task<Result<void>> Accounts::remove(AccountId id) {
  CO_TRY_ASSIGN(const KeyedLock::Held held, co_await locks_.lock(id.value));
  const auto found = accounts_.find(id);
  if (found != accounts_.end()) {
    const std::vector<std::shared_ptr<Service>> services = found->second.services;
    for (const auto& service : services) service->halt();
    co_await stop_all(services, StopCause::Removal);
  }
  CO_TRY(co_await base::run_on(parts_.worker, [this, id] { return files_.bury(id); }));
  accounts_.erase(id);
  damaged_.erase(id);
  (void)tasks_.spawn("reap", reap());
  co_return Result<void>();
}

Task<Result<void>> Accounts::forget_release(std::string hash) {
  const bool used = std::ranges::any_of(
      accounts_, [&](const auto& entry) { return entry.second.spec->release_hash == hash; });
  if (used)
    co_return base::fail(Code::Conflict, "accounts on this machine are at release {}", hash);
  CO_TRY(co_await base::run_on(parts_.worker, [this, &hash] { return files_.bury_release(hash); }));
  (void)tasks_.spawn("reap", reap());
  co_return Result<void>();
}

Task<void> Accounts::reap() {
  const auto held = co_await locks_.lock("graveyard/");  // no account's name
  if (!held) co_return;
  const auto reaped = co_await base::run_on(parts_.worker, [this] { return files_.reap(); });
  if (!reaped) base::log::warn("the graveyard: {}", describe(reaped.error()));
}

Task<wire::AgentResult<std::uint32_t>> Accounts::activate(ServiceId id) {
  const auto refuse = [](base::Error error) {
    return std::unexpected(wire::AgentError{std::move(error), 0});
  };
  const std::shared_ptr<Service> service = find(id);
  if (!service)
    co_return refuse({Code::NotFound, "no service " + to_string(id) + " on this machine", {}, {}});
  co_return co_await service->activate();
}

Task<Result<void>> Accounts::sleep(AccountId id) {
  const auto found = accounts_.find(id);
  if (found == accounts_.end())
    co_return base::fail(Code::NotFound, "no account {} on this machine", id.value);
  const std::vector<std::shared_ptr<Service>> services = found->second.services;
  for (const auto& service : services) {
    if (!service->spec().idle || service->phase() == ServicePhase::Asleep) continue;
    if (service->phase() == ServicePhase::Running && service->in_use())
      co_return base::fail(Code::Conflict, "{} has requests in flight", to_string(service->id()));
    (void)service->sleep_if_unused();
    co_await service->settled();
  }
  co_return Result<void>();
}

// --- sweeping -----------------------------------------------------------------------------------

Task<void> Accounts::keep_within_budget() {
  if (options_.memory_budget == 0) co_return;
  std::vector<std::shared_ptr<Service>> running;
  std::vector<ServiceId> ids;
  for (const auto& [raw, weak] : living_) {
    auto service = weak.lock();
    if (!service || service->phase() != ServicePhase::Running) continue;
    ids.push_back(service->id());
    running.push_back(std::move(service));
  }
  if (running.empty()) co_return;
  auto silos = co_await base::run_on(parts_.worker, [this, &ids] {
    std::vector<WarmSilo> measured(ids.size());
    for (std::size_t i = 0; i < ids.size(); ++i) {
      if (const auto usage = parts_.cgroups.usage(ids[i]))
        measured[i].memory_bytes = usage->memory_bytes;
    }
    return measured;
  });
  for (std::size_t i = 0; i < silos.size(); ++i) {
    silos[i].last_used = running[i]->last_used();
    if (running[i]->in_use() || !running[i]->spec().idle) silos[i].hold = WarmSilo::Hold::Held;
  }
  for (const std::size_t i : choose_evictions(silos, options_.memory_budget))
    (void)running[i]->sleep_if_unused();
}

Task<std::optional<BootTime>> Accounts::sweep() {
  std::vector<std::shared_ptr<Service>> services;
  for (const auto& [raw, weak] : living_) {
    if (auto service = weak.lock()) services.push_back(std::move(service));
  }
  std::optional<BootTime> next;
  for (const auto& service : services) {
    const auto due = co_await base::contained(service->sweep());
    if (!due) {  // a fault of ours in this one must not end the sweep of all
      if (due.error().code == Code::Cancelled) co_return next;
      base::log::error("{}: {}", to_string(service->id()), describe(due.error()));
      service->fail_life(describe(due.error()));
      continue;
    }
    if (*due && (!next || **due < *next)) next = *due;
  }
  co_await keep_within_budget();
  co_await keep_cpu_fair();
  co_await guard_room();
  co_return next;
}

Task<Result<std::optional<BootTime>>> Accounts::swept_once() { co_return co_await sweep(); }

Task<void> Accounts::run_sweeps() {
  using base::asio::experimental::awaitable_operators::operator||;
  for (;;) {
    const std::uint64_t seen = tools_.changes;
    const auto swept = co_await base::contained(swept_once());
    if (!swept && swept.error().code == Code::Cancelled) co_return;
    if (!swept) base::log::error("the sweep: {}", describe(swept.error()));
    const std::optional<BootTime> due = swept ? *swept : std::nullopt;
    if (tools_.changes == seen && living_.empty()) {  // nothing is awake, so nothing ticks
      co_await guard_room();                          // nor is held
      if (!co_await awake_.wait()) co_return;
    } else if (tools_.changes == seen) {
      const auto first = co_await (parts_.timer.sleep(sweep_pause(due)) || awake_.wait());
      if (first.index() == 0 ? !std::get<0>(first) : !std::get<1>(first)) co_return;
    }
    // One that has changed may be due sooner than those that were looked at. A storm of them is
    // looked at together.
    if (tools_.changes != seen && !co_await parts_.timer.sleep(kSweepShortest)) co_return;
  }
}

// --- beginning and end --------------------------------------------------------------------------

Task<Result<SiloEnd>> Accounts::clean_up(ServiceId id) {
  co_return co_await parts_.launcher.clean_up(std::move(id));
}

Task<void> Accounts::adopt_all() {
  const std::vector<ServiceId> left = co_await parts_.launcher.leftovers();
  std::vector<std::shared_ptr<Service>> outdated;
  for (const ServiceId& id : left) {
    const std::shared_ptr<Service> service = find(id);
    if (service) {
      if (auto silo = co_await base::contained(parts_.launcher.adopt(id))) {
        service->adopt(std::move(*silo));
        base::log::info("adopted {}", to_string(id));
        if (service->is_outdated() || service->halted()) outdated.push_back(service);
        continue;
      }
    }
    if (!co_await base::contained(clean_up(id)) && service) service->note_unclean();
    parts_.doors.close(id, {});  // its name may be left
  }
  for (const auto& service : outdated)
    (void)tasks_.spawn(
        "stop " + to_string(service->id()),
        service->stop(service->halted() ? StopCause::Suspension : StopCause::Restart));
}

// An account of an earlier agent, with its services asleep.
Result<void> Accounts::take_up(wire::AccountSpec spec) {
  auto shared = std::make_shared<const wire::AccountSpec>(std::move(spec));
  Account& account = accounts_[shared->account];
  account.spec = shared;
  for (std::size_t i = 0; i < shared->services.size(); ++i) {
    account.services.push_back(std::make_shared<Service>(tools_, shared, i));
    if (shared->traffic == wire::Traffic::Suspended) account.services.back()->halt();
    // What an earlier life left on the board must not look like one that serves.
    parts_.board.slot(shared->services[i].slot).epoch.store(0);
  }
  return {};
}

Task<void> Accounts::recall_failures() {
  const std::vector<Failures> all =
      co_await base::run_on(parts_.worker, [this] { return tools_.memory.load_all(); });
  for (const Failures& failures : all) {
    if (const auto service = find(failures.service)) service->recall(failures);
  }
}

Task<Result<void>> Accounts::recover() {
  CO_TRY(co_await base::run_on(parts_.worker, [this] { return files_.prepare(); }));
  CO_TRY_ASSIGN(auto loaded,
                co_await base::run_on(parts_.worker, [this] { return files_.load_all(); }));
  for (auto& [id, problem] : loaded.damaged) {
    base::log::error("account {} is damaged: {}", id.value, problem);
    damaged_[id] = std::move(problem);
  }
  CO_TRY(co_await recover_transfers(loaded.specs));
  for (wire::AccountSpec& spec : loaded.specs) {
    const AccountId id = spec.account;
    const auto known = base::contained_call([&] { return take_up(std::move(spec)); });
    if (known) continue;
    base::log::error("account {} is damaged: {}", id.value, describe(known.error()));
    accounts_.erase(id);
    damaged_[id] = known.error().message;
  }
  co_await recall_failures();
  co_await adopt_all();
  co_await begin_cpu_fairness();
  for (const auto& [id, account] : accounts_) {
    for (const auto& service : account.services) service->keep_up();
  }
  (void)tasks_.spawn("sweep", run_sweeps());
  (void)tasks_.spawn("reap", reap());
  co_return Result<void>();
}

Task<void> Accounts::close(Silos silos) {
  stop_transfers();
  if (silos == Silos::Stop && !tasks_.closing()) {
    std::vector<std::shared_ptr<Service>> all;
    for (const auto& [raw, weak] : living_) {
      if (auto service = weak.lock()) all.push_back(std::move(service));
    }
    for (const auto& [id, account] : accounts_) {
      for (const auto& service : account.services) service->halt();
    }
    co_await stop_all(std::move(all), StopCause::Shutdown);
  }
  co_await tasks_.close();
  for (const auto& [raw, weak] : living_) {
    if (const auto service = weak.lock()) service->release_waiters();
  }
}

}  // namespace granary::agent
