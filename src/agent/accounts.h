// All accounts of this machine: what each is to be, and the services that make it real. Brings
// accounts to their desired state, finds again what runs, keeps the sweep going. Lives on the
// agent's executor; what blocks runs on its worker. Not for the protocol: see agent.h.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "agent/account_files.h"
#include "agent/cgroups.h"
#include "agent/cpu_fairness.h"
#include "agent/keyed_lock.h"
#include "agent/service.h"
#include "agent/volumes.h"
#include "base/worker.h"
#include "wire/data_export.h"

namespace granary::agent {

struct AccountsOptions {
  wire::Paths paths;
  std::uint32_t uid_base = 0;       // an account's uid is this plus its ordinal
  std::uint64_t memory_budget = 0;  // for all running silos, in bytes; 0: none
  std::size_t start_places = 4;     // silos started at once
  // Asked of each service before its account comes to another release; `release` is its folder.
  // command_check.h; empty: everything is taken. Runs on the worker.
  std::function<base::Result<void>(const wire::ServiceSpec& service, const std::string& release)>
      check_command = {};
};

// All outlive the Accounts.
struct AccountsParts {
  base::asio::any_io_executor executor;
  const base::Clock& clock;
  base::Timer& timer;
  base::Rng& rng;
  base::Worker& worker;
  base::Worker& bulk;  // for what takes minutes: moving data. kTransfersAtOnce threads
  SiloLauncher& launcher;
  Doors& doors;
  Cgroups& cgroups;
  Volumes& volumes;
  wire::ActivityBoard& board;
};

class Accounts final {
 public:
  Accounts(AccountsOptions options, AccountsParts parts);
  ~Accounts();  // asserts that close() has completed

  // Reads all accounts, adopts what runs, clears away what nobody owns, starts the sweep. Once.
  base::Task<base::Result<void>> recover();

  // Resolves when the spec is in force: made real, written, and nothing of an earlier one runs.
  // Errors: Conflict (an older version, or another of the same), NotFound (no such release),
  // Exhausted, InvalidArgument (also a command that cannot be executed), DataLoss (it had a disk,
  // which is broken; not while suspended).
  base::Task<base::Result<void>> apply(wire::AccountSpec spec);
  base::Task<base::Result<void>> remove(base::AccountId account);
  // Errors: NotFound, and as Service::activate.
  base::Task<wire::AgentResult<std::uint32_t>> activate(base::ServiceId service);
  // Puts what nobody uses to sleep. Errors: NotFound, Conflict (requests are in flight).
  base::Task<base::Result<void>> sleep(base::AccountId account);
  base::Task<base::Result<wire::AccountReport>> report(base::AccountId account);
  struct Page {
    std::vector<wire::AccountReport> accounts;
    std::string next;  // empty: that was the last
  };
  base::Task<base::Result<Page>> list(std::string after, std::uint32_t limit);
  // Writes all data of the account, as it is at one moment from now on, into the transfer of that
  // name, which belongs to whom the transfers do. Its services go on.
  // Errors: NotFound, and as Volumes::snapshot and wire::pack_data.
  base::Task<base::Result<wire::DataExport>> export_data(base::AccountId account,
                                                         std::string transfer);
  // Puts a transfer's data in the place of the account's. Errors: NotFound, Conflict (it takes
  // traffic, or runs), and as Volumes::replace.
  base::Task<base::Result<void>> import_data(base::AccountId account, std::string transfer,
                                             std::string sha256);
  // The process is the gateway: it gets a CPU before all accounts.
  void put_first(int pid);
  // Ends the two, which else take as long as they take: before whoever awaits them is joined.
  void stop_transfers() { *stopping_ = true; }
  // An app failed a request, in its life of this epoch; 0: of none. Errors: NotFound.
  base::Task<base::Result<void>> note_fault(base::ServiceId service, std::uint32_t epoch,
                                            std::string reason);
  // Tells this account from those that had its name before. Nothing: there is no such account.
  std::optional<std::uint32_t> ordinal_of(const base::AccountId& account) const;
  bool has_service(const base::ServiceId& service) const;
  // Removes an unpacked release. Unknown: success. Errors: Conflict (an account names it).
  base::Task<base::Result<void>> forget_release(std::string hash);

  // One round over all that is awake; the time when the next is due. For run() and for tests.
  base::Task<std::optional<base::BootTime>> sweep();

  enum class Silos { LeaveRunning, Stop };
  // Refuses, cancels, joins; silos go on, or are stopped first. Idempotent.
  base::Task<void> close(Silos silos);

 private:
  struct Account {
    std::shared_ptr<const wire::AccountSpec> spec;  // shared with its services
    // Owned by this and by whatever still runs of a removed account.
    std::vector<std::shared_ptr<Service>> services;
  };

  std::shared_ptr<Service> find(const base::ServiceId& service) const;
  void put(Account& account, std::shared_ptr<const wire::AccountSpec> spec);
  wire::DataPulse pulse() const;
  base::Task<base::Result<std::unique_ptr<DataSnapshot>>> snapshot(base::AccountId account);
  base::Task<base::Result<void>> check(wire::AccountSpec spec) const;
  base::Task<base::Result<void>> check_commands(std::shared_ptr<const wire::AccountSpec> spec);
  base::Task<base::Result<void>> make_real(std::shared_ptr<const wire::AccountSpec> spec);
  StopCause cause_of(const wire::AccountSpec& spec) const;
  base::Task<base::Result<void>> grow_disk(std::shared_ptr<const wire::AccountSpec> spec);
  base::Task<void> take_over(std::shared_ptr<const wire::AccountSpec> spec);
  base::Task<void> stop_all(std::vector<std::shared_ptr<Service>> services, StopCause cause);
  base::Task<void> stop_one(std::shared_ptr<Service> service, StopCause cause,
                            std::shared_ptr<base::Event> done, std::shared_ptr<std::size_t> left);
  base::Result<void> take_up(wire::AccountSpec spec);
  base::Task<void> recall_failures();
  base::Task<base::Result<SiloEnd>> clean_up(base::ServiceId id);
  base::Task<void> adopt_all();
  base::Task<base::Result<void>> recover_transfers(const std::vector<wire::AccountSpec>& specs);
  base::Task<void> keep_within_budget();
  std::set<base::AccountId> running() const;
  base::Task<void> guard_room();
  void tell_room(const HostRoom& now) const;
  void stop_for_room(const base::AccountId& account, std::string_view reason);
  base::BootTime sweep_pause(std::optional<base::BootTime> due) const;
  base::Task<void> begin_cpu_fairness();
  base::Task<void> keep_cpu_fair();
  base::Task<void> put_before_accounts(int pid);
  base::Task<base::Result<std::optional<base::BootTime>>> swept_once();
  base::Task<void> run_sweeps();
  base::Task<void> reap();
  wire::AccountReport report_of(const Account& account) const;
  wire::AccountReport report_of_damaged(const base::AccountId& id) const;
  base::Task<std::vector<wire::AccountReport>> measured(std::vector<wire::AccountReport> reports);

  const AccountsOptions options_;
  AccountsParts parts_;
  AccountFiles files_;
  base::TaskGroup tasks_;
  base::Event awake_;
  std::unordered_map<Service*, std::weak_ptr<Service>> living_;
  StartGate gate_;
  StartGate transfers_;
  // Shared with what runs on the bulk worker.
  std::shared_ptr<std::atomic<bool>> stopping_ = std::make_shared<std::atomic<bool>>(false);
  ServiceTools tools_;
  KeyedLock locks_;
  CpuFairness fairness_;
  base::BootTime cpu_looked_{0};
  HostRoom room_;  // of the last look
  base::BootTime room_looked_{0};
  bool room_is_known_ = true;
  std::map<base::AccountId, Account> accounts_;
  // Those whose state could not be read, with the reason: until they are applied or removed.
  std::map<base::AccountId, std::string> damaged_;
};

}  // namespace granary::agent
