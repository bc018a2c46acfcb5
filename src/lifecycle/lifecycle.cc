#include "lifecycle/lifecycle.h"

#include "base/amount.h"
#include "base/check.h"
#include "lifecycle/desired.h"
#include "lifecycle/limits.h"
#include "lifecycle/steps.h"
#include "lifecycle/subjects.h"
#include "registry/audit.h"

// What callers ask for of one tenant: each records its intent, the operation and an entry of the
// audit log in one transaction. What is asked of archives, plans, secrets and domains is in files
// of their own, and so are the steps.
namespace granary::lifecycle {

using base::AccountId;
using base::Code;
using base::Result;
using base::Task;
using operation::Operation;
using registry::Account;
using registry::State;
using store::Transaction;

namespace {

// A customer's key is only meant for the customer's own request: other actors do not collide.
std::string scoped_key(const Caller& caller) {
  return caller.idempotency_key.empty() ? "" : caller.actor + "/" + caller.idempotency_key;
}

Result<void> check_create(const CreateTenant& request) {
  TRY(base::parse_slug(request.id.value, "tenant name"));
  for (const auto& [name, value] : request.labels) TRY(registry::check_label(name, value));
  return {};
}

template <class Parse>
Result<std::vector<std::string>> parsed(const std::vector<std::string>& texts, Parse parse) {
  std::vector<std::string> result;
  for (const std::string& text : texts) {
    TRY_ASSIGN(std::string one, parse(text));
    if (std::ranges::find(result, one) == result.end()) result.push_back(std::move(one));
  }
  return result;
}

Result<void> check_same_app(const AccountId& id, const std::string& app,
                            const registry::Release& release) {
  if (app.empty() || app == release.app) return {};
  return base::fail_with_advice(
      Code::Conflict,
      fmt::format("'{}' runs the app {}; {} is a release of {}, which would get the data of {}",
                  id.value, app, release.id.value, release.app, app),
      fmt::format("Create another tenant for {}; if it is meant to take over the data: granary "
                  "tenant update {} --release {} --change-app",
                  release.app, id.value, release.id.value));
}

Result<std::string> app_of(Transaction& tx, const Account& account) {
  if (account.desired_release.empty()) return std::string();
  TRY_ASSIGN(const auto present, registry::get_release_by_hash(tx, account.desired_release));
  return present.app;
}

Result<void> move_to_release(Transaction& tx, const UpdateTenant& request, base::WallTime now) {
  const AccountId& id = request.id;
  TRY_ASSIGN(const Account account, registry::get(tx, id));
  TRY_ASSIGN(const std::string app, app_of(tx, account));
  TRY_ASSIGN(const auto release, registry::get_release(tx, *request.release, app));
  if (request.other_app == UpdateTenant::OtherApp::Refuse) TRY(check_same_app(id, app, release));
  if (release.hash != account.desired_release) TRY(check_pin(account, now));
  return desire_release(tx, id, release.hash, now);
}

Result<void> set_details(Transaction& tx, const UpdateTenant& request, base::WallTime now) {
  if (request.details.plan) TRY(registry::get_plan(tx, *request.details.plan));
  TRY(registry::change_details(tx, request.id, request.details, now));
  return {};
}

}  // namespace

Lifecycle::Lifecycle(Parts parts) : parts_(std::move(parts)) {
  steps_ = std::make_unique<Steps>(*this);
}

Lifecycle::~Lifecycle() = default;

void Lifecycle::register_kinds() { steps_->add_kinds(); }

Task<Result<Operation>> Lifecycle::start(std::string kind, std::string subject,
                                         base::json::object input, store::Work also,
                                         Caller caller) {
  operation::Request request{.kind = std::move(kind),
                             .subject = std::move(subject),
                             .input = std::move(input),
                             .actor = caller.actor,
                             .idempotency_key = scoped_key(caller)};
  registry::AuditChange entry{.actor = caller.actor,
                              .action = request.kind,
                              .subject = request.subject,
                              .before = {},
                              .after = request.input};
  auto recorded = [also = std::move(also), entry = std::move(entry),
                   now = parts_.clock.wall()](Transaction& tx) -> Result<void> {
    if (also) TRY(also(tx));
    TRY(registry::append_audit(tx, entry, now));
    return {};
  };
  co_return co_await parts_.engine.submit(std::move(request), std::move(recorded));
}

Task<Result<Operation>> Lifecycle::change(std::string kind, AccountId id, base::json::object input,
                                          store::Work also, Caller caller) {
  AuditHead head{.actor = caller.actor, .action = kind, .asked = input};
  input["account"] = id.value;
  operation::Request request{.kind = std::move(kind),
                             .subject = subject_of(id),
                             .input = std::move(input),
                             .actor = caller.actor,
                             .idempotency_key = scoped_key(caller)};
  auto recorded = [id, head = std::move(head), also = std::move(also), now = parts_.clock.wall()](
                      Transaction& tx) { return with_audit(tx, id, head, now, also); };
  co_return co_await parts_.engine.submit(std::move(request), std::move(recorded));
}

Task<Result<std::optional<Operation>>> Lifecycle::asked_before(Caller caller) {
  co_return co_await parts_.engine.find_by_key(scoped_key(caller));
}

Task<Result<Account>> Lifecycle::change_now(std::string action, AccountId id, store::Work work,
                                            Caller caller) {
  const AuditHead head{.actor = caller.actor, .action = std::move(action), .asked = {}};
  CO_TRY(co_await parts_.store.write([&, now = parts_.clock.wall()](Transaction& tx) {
    return with_audit(tx, id, head, now, work);
  }));
  co_return co_await get(id);
}

Task<Result<Operation>> Lifecycle::create(CreateTenant request, Caller caller) {
  CO_TRY(check_create(request));
  if (!parts_.clouds.contains(request.cloud))
    co_return base::fail_with_advice(Code::NotSupported,
                                     fmt::format("cloud '{}' is not set up here", request.cloud),
                                     "Leave --cloud out for this machine's own silos");
  Account account;
  account.id = request.id;
  account.kind = request.kind;
  CO_TRY_ASSIGN(account.name, public_name(request.name, request.id));
  account.plan = request.plan;
  account.cloud = request.cloud;
  account.settings = request.settings;
  account.labels = request.labels;
  CO_TRY_ASSIGN(account.domains, parsed(request.domains, registry::parse_domain));
  CO_TRY_ASSIGN(account.discovery, parsed(request.discovery, registry::parse_discovery_key));
  account.created = account.updated = parts_.clock.wall();
  account.version = 1;
  auto record = [account, release = request.release](Transaction& tx) mutable -> Result<void> {
    TRY(registry::check_name_free(tx, account.id));
    TRY(registry::get_plan(tx, account.plan));
    TRY_ASSIGN(const auto found, registry::get_release(tx, release.empty() ? "latest" : release));
    account.desired_release = found.hash;
    TRY_ASSIGN(const Account inserted, registry::insert(tx, account));
    return take_slots(tx, inserted.id, found.hash);
  };
  co_return co_await change("tenant.create", request.id, {}, std::move(record), std::move(caller));
}

// What `latest` or a part of a hash stands for now, so that a retry of the operation means the
// same.
Task<Result<std::string>> Lifecycle::release_meant(AccountId id, std::string release) {
  std::string name;
  CO_TRY(co_await parts_.store.read([&](Transaction& tx) -> Result<void> {
    TRY_ASSIGN(const Account account, registry::get(tx, id));
    TRY_ASSIGN(const std::string app, app_of(tx, account));
    TRY_ASSIGN(const auto found, registry::get_release(tx, release, app));
    name = found.id.value;
    return {};
  }));
  co_return name;
}

Task<Result<Operation>> Lifecycle::update(UpdateTenant request, Caller caller) {
  registry::Details& details = request.details;
  if (details.name) {
    CO_TRY_ASSIGN(details.name, public_name(*details.name, request.id));
  }
  for (const auto& [name, value] : details.labels)
    CO_TRY(registry::check_label(name, value.value_or("")));
  CO_TRY_ASSIGN(details.add_domains, parsed(details.add_domains, registry::parse_domain));
  CO_TRY_ASSIGN(details.remove_domains, parsed(details.remove_domains, registry::parse_domain));
  CO_TRY_ASSIGN(details.add_discovery,
                parsed(details.add_discovery, registry::parse_discovery_key));
  CO_TRY_ASSIGN(details.remove_discovery,
                parsed(details.remove_discovery, registry::parse_discovery_key));
  base::json::object input;
  if (request.release) {
    // What is refused here is refused below as well, unless it is a request that is repeated.
    const auto meant = co_await release_meant(request.id, *request.release);
    if (meant) request.release = *meant;
    if (meant) input[kReleaseInput] = *meant;
  }
  auto record = [request, now = parts_.clock.wall()](Transaction& tx) -> Result<void> {
    TRY_ASSIGN(const Account account, registry::get(tx, request.id));
    TRY(check_free(account));
    TRY(set_details(tx, request, now));
    return request.release ? move_to_release(tx, request, now) : Result<void>();
  };
  co_return co_await change("tenant.update", request.id, std::move(input), std::move(record),
                            std::move(caller));
}

Task<Result<Operation>> Lifecycle::suspend(AccountId id, Caller caller) {
  auto record = [id, now = parts_.clock.wall()](Transaction& tx) -> Result<void> {
    TRY_ASSIGN(const Account account, registry::get(tx, id));
    TRY(check_free(account));
    TRY(registry::set_state(tx, id, State::Suspended, now));
    return {};
  };
  co_return co_await change("tenant.suspend", id, {}, std::move(record), std::move(caller));
}

Task<Result<Operation>> Lifecycle::resume(AccountId id, Caller caller) {
  auto record = [id, now = parts_.clock.wall()](Transaction& tx) -> Result<void> {
    TRY_ASSIGN(const Account account, registry::get(tx, id));
    if (account.state != State::Suspended)
      return base::fail_with_advice(
          Code::Conflict,
          fmt::format("'{}' is {}, not suspended", id.value, registry::to_string(account.state)),
          registry::way_on(id, account.state));
    TRY(registry::set_state(tx, id, State::Active, now));
    return {};
  };
  co_return co_await change("tenant.resume", id, {}, std::move(record), std::move(caller));
}

Task<Result<Operation>> Lifecycle::offboard(Offboard request, Caller caller) {
  const auto now = parts_.clock.wall();
  CO_TRY_ASSIGN(const bool busy, co_await is_busy(request.id));
  auto record = [id = request.id, busy, now](Transaction& tx) -> Result<void> {
    TRY_ASSIGN(const Account account, registry::get(tx, id));
    // One that ended halfway begins again: its steps do what is left.
    if (account.state == State::Offboarding && !busy) return {};
    TRY(check_free(account));
    if (account.state == State::Creating)
      return base::fail_with_advice(Code::Conflict, fmt::format("'{}' is being created", id.value),
                                    registry::way_on(id, account.state));
    TRY(registry::set_state(tx, id, State::Offboarding, now));
    return {};
  };
  base::json::object input;
  const auto until = now + std::chrono::duration_cast<std::chrono::microseconds>(request.retain);
  input["retain_until"] = until.time_since_epoch().count();
  // Without retention there is none, whatever was asked for.
  input["final_export"] =
      request.final_export == Offboard::FinalExport::Yes && request.retain.count() > 0;
  co_return co_await change("tenant.offboard", request.id, std::move(input), std::move(record),
                            std::move(caller));
}

Task<Result<Lifecycle::OffboardPlan>> Lifecycle::plan_offboard(Offboard request) {
  OffboardPlan plan;
  CO_TRY_ASSIGN(plan.account, co_await get(request.id));
  const auto actual = co_await inspect(request.id);
  if (actual) plan.disk_used_bytes = actual->disk_used_bytes;
  // Not said where the cloud does not answer.
  const std::string used =
      actual ? fmt::format(" ({} in use)", base::human_bytes(actual->disk_used_bytes)) : "";
  const std::string kept = base::format_duration(request.retain);
  const bool retains = request.retain.count() > 0;
  const bool exports = retains && request.final_export == Offboard::FinalExport::Yes;
  plan.steps = {
      "refuse all traffic and stop the services",
      exports ? "export all data into one archive, kept as long as the data" : "export nothing",
      retains ? "keep the data for " + kept : "keep nothing: no retention was asked for",
      fmt::format("destroy the account, its disk{} and its archives", used),
      "free the name and the domains",
      "sign a certificate of what was destroyed"};
  co_return plan;
}

Task<Result<Account>> Lifecycle::pin(AccountId id, std::optional<base::WallTime> until,
                                     Caller caller) {
  const base::WallTime now = parts_.clock.wall();
  if (until && *until <= now)
    co_return base::fail(Code::InvalidArgument, "the pin would have ended already");
  co_return co_await change_now(
      "tenant.pin", id,
      [id, until, now](Transaction& tx) -> Result<void> {
        TRY(registry::set_pin(tx, id, {.pinned = true, .until = until}, now));
        return {};
      },
      std::move(caller));
}

Task<Result<Account>> Lifecycle::unpin(AccountId id, Caller caller) {
  co_return co_await change_now(
      "tenant.unpin", id,
      [id, now = parts_.clock.wall()](Transaction& tx) -> Result<void> {
        TRY(registry::set_pin(tx, id, {.pinned = false, .until = {}}, now));
        return {};
      },
      std::move(caller));
}

Task<Result<Account>> Lifecycle::get(AccountId id) {
  Account account;
  CO_TRY(co_await parts_.store.read([&](Transaction& tx) -> Result<void> {
    TRY_ASSIGN(account, registry::get(tx, id));
    return {};
  }));
  co_return account;
}

Task<Result<cloud::Driver*>> Lifecycle::cloud_of(AccountId id) {
  CO_TRY_ASSIGN(const Account account, co_await get(id));
  co_return driver_named(account.cloud);
}

Task<Result<cloud::Actual>> Lifecycle::inspect(AccountId id) {
  CO_TRY_ASSIGN(cloud::Driver * driver, co_await cloud_of(id));
  co_return co_await driver->describe(id);
}

Task<Result<cloud::Driver::LogChunk>> Lifecycle::read_log(base::ServiceId service,
                                                          std::uint64_t cursor) {
  CO_TRY_ASSIGN(cloud::Driver * driver, co_await cloud_of(service.account));
  co_return co_await driver->read_log(service, cursor);
}

}  // namespace granary::lifecycle
