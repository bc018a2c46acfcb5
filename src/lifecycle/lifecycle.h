// The life of tenants, from their creation to the certificate of their destruction: each change a
// durable operation made of idempotent steps over the registry and a cloud, and an entry of the
// audit log. Lives on control's executor.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/rng.h"
#include "base/sealing_key.h"
#include "base/signature.h"
#include "cloud/driver.h"
#include "lifecycle/archives.h"
#include "lifecycle/condition.h"
#include "lifecycle/domain_checker.h"
#include "lifecycle/drift.h"
#include "lifecycle/limits.h"
#include "lifecycle/prober.h"
#include "lifecycle/release_files.h"
#include "operation/engine.h"
#include "registry/account.h"
#include "registry/archive_row.h"
#include "registry/domain.h"
#include "registry/plan.h"
#include "registry/release_row.h"
#include "registry/secret.h"
#include "store/store.h"

namespace granary::lifecycle {

// Told after a durable change of what the gateway must know; it resolves when the gateways that
// run can be expected to have it (a published snapshot), so that "active" means reachable.
class Publisher {
 public:
  virtual ~Publisher() = default;
  virtual base::Task<base::Result<void>> publish() = 0;
  // Before services start with what their account is to run: resolves once they may connect to what
  // that release declares. Where nobody holds them back there is nothing to do.
  virtual base::Task<base::Result<void>> permit(base::AccountId /*account*/) {
    co_return base::Result<void>();
  }
};

struct CreateTenant {
  base::AccountId id;
  registry::Kind kind = registry::Kind::Tenant;
  std::string name;  // empty: the id
  std::string plan = "standard";
  std::string cloud = "host";
  std::string release;                 // name, hash or "latest"
  std::vector<std::string> domains;    // the caller vouches for them
  std::vector<std::string> discovery;  // "email:a@b.example", "email-domain:b.example"
  std::map<std::string, std::string> labels;
  std::map<std::string, std::string> settings;  // "flag.NAME": a feature flag, public
};

struct UpdateTenant {
  base::AccountId id;
  registry::Details details;
  std::optional<std::string> release;
  // To a release of another app, which then has the data of the one before.
  enum class OtherApp { Refuse, Allow } other_app = OtherApp::Refuse;
};

struct Export {
  base::AccountId id;
  std::chrono::milliseconds keep{0};  // how long the archive is kept
};

struct Restore {
  base::AccountId id;
  std::string archive;  // ULID of one that was taken in, or made here
  // Of an existing tenant the data is replaced, its configuration and release stay.
  enum class Into { NewTenant, ExistingTenant } into = Into::NewTenant;
  std::optional<std::string> release;  // for a new tenant; nothing: the archive's
};

struct Offboard {
  base::AccountId id;
  std::chrono::milliseconds retain{0};  // data is kept, traffic refused, for this long
  // Made when the traffic has ended, kept as long as the data. Without retention there is none.
  enum class FinalExport { Yes, No } final_export = FinalExport::Yes;
};

struct Caller {
  std::string actor;            // "token/01J..."
  std::string idempotency_key;  // may be empty
};

class Lifecycle final {
 public:
  struct Parts {  // all must outlive the Lifecycle
    store::Store& store;
    operation::Engine& engine;
    std::map<std::string, cloud::Driver*> clouds;  // by name: "host"
    Prober& prober;
    Publisher& publisher;
    Archives& archives;
    ReleaseFiles& release_files;
    DomainChecker& domains;
    const base::SigningKey& signing_key;  // of certificates
    const base::SealingKey& sealing_key;  // of secrets in the store
    const base::Clock& clock;
    base::Rng& rng;
    std::uint32_t fan_out_window = kFanOutWindow;  // accounts at once that follow one change
  };
  explicit Lifecycle(Parts parts);
  ~Lifecycle();
  Lifecycle(const Lifecycle&) = delete;
  Lifecycle& operator=(const Lifecycle&) = delete;

  // Adds its kinds to the engine. Before Engine::recover().
  void register_kinds();

  // Each records intent and operation in one transaction and returns the operation, started.
  // Errors: InvalidArgument, AlreadyExists, NotFound, Conflict; nothing has changed then.
  base::Task<base::Result<operation::Operation>> create(CreateTenant request, Caller caller);
  base::Task<base::Result<operation::Operation>> update(UpdateTenant request, Caller caller);
  base::Task<base::Result<operation::Operation>> suspend(base::AccountId id, Caller caller);
  base::Task<base::Result<operation::Operation>> resume(base::AccountId id, Caller caller);
  base::Task<base::Result<operation::Operation>> offboard(Offboard request, Caller caller);
  // What offboarding would destroy, without doing it.
  struct OffboardPlan {
    registry::Account account;
    std::uint64_t disk_used_bytes = 0;
    std::vector<std::string> steps;  // for people, in order
  };
  base::Task<base::Result<OffboardPlan>> plan_offboard(Offboard request);

  // Its result has the archive's id, bytes and sha256; the archive is a row of the registry then.
  // Errors: NotFound, Conflict.
  base::Task<base::Result<operation::Operation>> export_tenant(Export request, Caller caller);
  // Errors: NotFound (archive, release, tenant), AlreadyExists (a new tenant's name is taken),
  // Conflict; nothing has changed then.
  base::Task<base::Result<operation::Operation>> restore(Restore request, Caller caller);
  // An archive that was checked and lies in its place, for restoring.
  base::Task<base::Result<registry::Archive>> take_archive(std::string id, ArchiveFile file,
                                                           ArchiveHead head, Caller caller);
  base::Task<base::Result<void>> remove_archive(std::string id, Caller caller);
  // For every hour: removes archives whose time has come, and files that nobody knew an hour ago.
  base::Task<base::Result<std::uint32_t>> sweep_archives();

  // Removes a release that no account is at: its row at once, its files by the operation. Errors:
  // NotFound, Conflict (it is used; the accounts are named), InvalidArgument (latest).
  base::Task<base::Result<operation::Operation>> delete_release(std::string name, Caller caller);
  // What that would remove, without doing it. Errors: the same.
  base::Task<base::Result<registry::Release>> plan_delete_release(std::string name);
  // For every hour: removes unused releases but the newest `keep` of an app and the youngest.
  base::Task<base::Result<std::uint32_t>> sweep_releases(std::uint32_t keep);
  // Removes files of releases that no row names, an hour after they were put in place: control was
  // killed between the two. For the start, and every hour.
  base::Task<base::Result<std::uint32_t>> sweep_release_files();

  // Held at its release; `until` nothing: for good. No operation: it is in force when it returns.
  base::Task<base::Result<registry::Account>> pin(base::AccountId id,
                                                  std::optional<base::WallTime> until,
                                                  Caller caller);
  base::Task<base::Result<registry::Account>> unpin(base::AccountId id, Caller caller);

  // A plan made or changed, and an operation that brings its accounts to it. Errors:
  // InvalidArgument.
  base::Task<base::Result<operation::Operation>> put_plan(registry::Plan plan, Caller caller);
  base::Task<base::Result<void>> remove_plan(std::string name, Caller caller);

  // `account` empty: everybody's. The operation brings it to the accounts that need it. Errors:
  // InvalidArgument (name, or a value that is empty, above 64 KiB or no text), NotFound, Exhausted.
  struct SetSecret {
    base::AccountId account;
    std::string name;
    std::string value;
  };
  base::Task<base::Result<operation::Operation>> set_secret(SetSecret request, Caller caller);
  base::Task<base::Result<operation::Operation>> unset_secret(base::AccountId account,
                                                              std::string name, Caller caller);

  // What a tenant says of a domain, until verify_domain() finds its token. Errors: NotFound,
  // AlreadyExists, InvalidArgument.
  base::Task<base::Result<registry::DomainClaim>> claim_domain(base::AccountId id,
                                                               std::string domain, Caller caller);
  base::Task<base::Result<void>> drop_claim(base::AccountId id, std::string domain, Caller caller);
  // Looks for the token now; the operation brings the domain to the gateway. Errors: Conflict, with
  // what was found in DNS and over HTTP instead.
  base::Task<base::Result<operation::Operation>> verify_domain(base::AccountId id,
                                                               std::string domain, Caller caller);

  // Where rows and accounts differ, without changing anything.
  base::Task<base::Result<Drift>> find_drift();
  // Mends what can be mended without losing anything, and what was asked for by name. The result
  // has what was found.
  base::Task<base::Result<operation::Operation>> repair(Repair request, Caller caller);

  base::Task<base::Result<registry::Account>> get(base::AccountId id);
  // Why it is as it is. Errors: NotFound.
  base::Task<base::Result<Condition>> condition(base::AccountId id);
  // What the account's cloud says now. Errors: NotFound, Unavailable.
  base::Task<base::Result<cloud::Actual>> inspect(base::AccountId id);
  base::Task<base::Result<cloud::Driver::LogChunk>> read_log(base::ServiceId service,
                                                             std::uint64_t cursor);

 private:
  struct Steps;  // what operations do: steps.h
  // Records an operation on `subject`, what `also` writes, and an entry of the audit log.
  base::Task<base::Result<operation::Operation>> start(std::string kind, std::string subject,
                                                       base::json::object input, store::Work also,
                                                       Caller caller);
  // The same for an operation on one account: the entry says what of the account has changed.
  base::Task<base::Result<operation::Operation>> change(std::string kind, base::AccountId id,
                                                        base::json::object input, store::Work also,
                                                        Caller caller);
  // What needs no operation: in force when it is durable.
  base::Task<base::Result<registry::Account>> change_now(std::string action, base::AccountId id,
                                                         store::Work work, Caller caller);
  base::Result<cloud::Driver*> driver_named(const std::string& cloud) const;
  base::Task<base::Result<cloud::Driver*>> cloud_of(base::AccountId id);
  base::Task<base::Result<std::string>> release_meant(base::AccountId id, std::string release);
  // Whether an operation on the account is not final.
  base::Task<base::Result<bool>> is_busy(base::AccountId id);
  // Whether an operation that is not final, other than `except`, makes the archive or reads it.
  base::Task<base::Result<bool>> archive_in_use(std::string id, base::OperationId except = {});
  // Errors: Conflict while a restore may be about to use it.
  base::Task<base::Result<void>> check_no_restore();
  // Errors: Unavailable while it is in use.
  base::Task<base::Result<void>> check_unused(std::string archive, base::OperationId except);
  // What the caller has asked for with this key before. For requests that look at what the first
  // one has changed.
  base::Task<base::Result<std::optional<operation::Operation>>> asked_before(Caller caller);
  base::Task<base::Result<std::map<base::AccountId, cloud::Actual>>> accounts_in(std::string cloud);
  base::Task<base::Result<std::map<base::AccountId, registry::Account>>> rows_in(std::string cloud);
  base::Task<base::Result<std::optional<DriftItem>>> judge(base::AccountId id, std::string cloud,
                                                           Drift* drift);

  base::Task<base::Result<std::uint32_t>> sweep_unknown_files();

  Parts parts_;
  std::unique_ptr<Steps> steps_;
  // Files of archives that no row and no operation knows, with when they were first seen.
  std::map<std::string, base::BootTime> unknown_since_;
};

}  // namespace granary::lifecycle
