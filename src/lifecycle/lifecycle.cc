#include "lifecycle/lifecycle.h"

#include "base/check.h"
#include "lifecycle/desired.h"

// What callers ask for: each records its intent and the operation in one transaction. The steps
// are in steps.cc.
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

std::string subject_of(const AccountId& id) { return "tenant/" + id.value; }

// A customer's key is only meant for the customer's own request: other actors do not collide.
std::string scoped_key(const Caller& caller) {
  return caller.idempotency_key.empty() ? "" : caller.actor + "/" + caller.idempotency_key;
}

Result<void> check_create(const CreateTenant& request) {
  TRY(base::parse_slug(request.id.value, "tenant name"));
  if (request.name.size() > 200)
    return base::fail(Code::InvalidArgument, "the public name has more than 200 bytes");
  for (const auto& [name, value] : request.labels) TRY(registry::check_label(name, value));
  for (const std::string& domain : request.domains) TRY(registry::parse_domain(domain));
  return {};
}

}  // namespace

Lifecycle::Lifecycle(Parts parts) : parts_(std::move(parts)) {}

Task<Result<Operation>> Lifecycle::change(std::string kind, AccountId id, base::json::object input,
                                          store::Work also, Caller caller) {
  input["account"] = id.value;
  operation::Request request{.kind = std::move(kind),
                             .subject = subject_of(id),
                             .input = std::move(input),
                             .actor = caller.actor,
                             .idempotency_key = scoped_key(caller)};
  co_return co_await parts_.engine.submit(std::move(request), std::move(also));
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
  account.name = request.name.empty() ? request.id.value : request.name;
  account.plan = request.plan;
  account.cloud = request.cloud;
  account.settings = request.settings;
  account.labels = request.labels;
  for (const std::string& domain : request.domains)
    account.domains.push_back(*registry::parse_domain(domain));
  account.created = account.updated = parts_.clock.wall();
  account.version = 1;
  auto record = [account, release = request.release](Transaction& tx) mutable -> Result<void> {
    TRY_ASSIGN(const auto found, registry::get_release(tx, release.empty() ? "latest" : release));
    account.desired_release = found.hash;
    TRY_ASSIGN(const Account inserted, registry::insert(tx, account));
    return take_slots(tx, inserted.id, found.hash);
  };
  co_return co_await change("tenant.create", request.id, {}, std::move(record), std::move(caller));
}

Task<Result<Operation>> Lifecycle::update(UpdateTenant request, Caller caller) {
  for (const auto& [name, value] : request.details.labels)
    CO_TRY(registry::check_label(name, value.value_or("")));
  for (std::string& domain : request.details.add_domains) {
    CO_TRY_ASSIGN(domain, registry::parse_domain(domain));
  }
  auto record = [request, now = parts_.clock.wall()](Transaction& tx) -> Result<void> {
    TRY_ASSIGN(const Account account, registry::get(tx, request.id));
    if (account.state == State::Offboarding)
      return base::fail(Code::Conflict, "'{}' is being offboarded", request.id.value);
    TRY(registry::change_details(tx, request.id, request.details, now));
    if (!request.release) return {};
    TRY_ASSIGN(const auto release, registry::get_release(tx, *request.release));
    TRY(registry::set_desired_release(tx, request.id, release.hash, now));
    TRY(registry::record_health(tx, request.id, registry::Health::Unknown, "", now));
    return take_slots(tx, request.id, release.hash);
  };
  co_return co_await change("tenant.update", request.id, {}, std::move(record), std::move(caller));
}

Task<Result<Operation>> Lifecycle::suspend(AccountId id, Caller caller) {
  auto record = [id, now = parts_.clock.wall()](Transaction& tx) -> Result<void> {
    TRY(registry::set_state(tx, id, State::Suspended, now));
    return {};
  };
  co_return co_await change("tenant.suspend", id, {}, std::move(record), std::move(caller));
}

Task<Result<Operation>> Lifecycle::resume(AccountId id, Caller caller) {
  auto record = [id, now = parts_.clock.wall()](Transaction& tx) -> Result<void> {
    TRY_ASSIGN(const Account account, registry::get(tx, id));
    if (account.state != State::Suspended)
      return base::fail(Code::Conflict, "'{}' is {}, not suspended", id.value,
                        registry::to_string(account.state));
    TRY(registry::set_state(tx, id, State::Active, now));
    return {};
  };
  co_return co_await change("tenant.resume", id, {}, std::move(record), std::move(caller));
}

Task<Result<Operation>> Lifecycle::offboard(Offboard request, Caller caller) {
  const auto now = parts_.clock.wall();
  auto record = [id = request.id, now](Transaction& tx) -> Result<void> {
    TRY_ASSIGN(const Account account, registry::get(tx, id));
    if (account.state == State::Offboarding)
      return base::fail_with_advice(Code::Conflict,
                                    fmt::format("'{}' is being offboarded already", id.value),
                                    "See granary operation list");
    TRY(registry::set_state(tx, id, State::Offboarding, now));
    return {};
  };
  base::json::object input;
  const auto until = now + std::chrono::duration_cast<std::chrono::microseconds>(request.retain);
  input["retain_until"] = until.time_since_epoch().count();
  co_return co_await change("tenant.offboard", request.id, std::move(input), std::move(record),
                            std::move(caller));
}

Task<Result<Lifecycle::OffboardPlan>> Lifecycle::plan_offboard(Offboard request) {
  OffboardPlan plan;
  CO_TRY_ASSIGN(plan.account, co_await get(request.id));
  const auto actual = co_await inspect(request.id);
  if (actual) plan.disk_used_bytes = actual->disk_used_bytes;
  const std::string kept = base::format_duration(request.retain);
  plan.steps = {
      "refuse all traffic and stop the services",
      request.retain.count() == 0 ? "keep nothing: no retention was asked for"
                                  : "keep the data for " + kept,
      fmt::format("destroy the account and its disk ({} bytes in use)", plan.disk_used_bytes),
      "free the name and the domains"};
  co_return plan;
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
  const auto found = parts_.clouds.find(account.cloud);
  if (found == parts_.clouds.end())
    co_return base::fail(Code::NotSupported, "cloud '{}' is not set up here", account.cloud);
  co_return found->second;
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
