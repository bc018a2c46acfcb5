#include "base/check.h"
#include "lifecycle/desired.h"
#include "lifecycle/lifecycle.h"
#include "lifecycle/limits.h"

// The steps of the operations. Each may run again after a crash at any instruction.
namespace granary::lifecycle {

using base::AccountId;
using base::Code;
using base::Result;
using base::Task;
using operation::Operation;
using operation::Outcome;
using registry::Account;
using registry::State;
using store::Transaction;

namespace {

AccountId account_of(const Operation& operation) {
  return AccountId(base::json::get_string(operation.input, "account").value_or(""));
}

// After its account is real: a created tenant becomes active, unless it is being offboarded.
Result<void> record_converged(Transaction& tx, const cloud::Actual& actual, base::WallTime now) {
  TRY_ASSIGN(const Account account, registry::get(tx, actual.account));
  TRY(registry::record_actual(tx, account.id, actual.release_hash, actual.isolation, now));
  if (account.state == State::Failed)
    TRY(registry::set_state(tx, account.id, State::Creating, now));
  if (account.state == State::Failed || account.state == State::Creating)
    TRY(registry::set_state(tx, account.id, State::Active, now));
  return {};
}

Result<void> record_create_failed(Transaction& tx, const Operation& operation) {
  const auto account = registry::get(tx, account_of(operation));
  if (!account || account->state != State::Creating) return {};
  TRY(registry::set_state(tx, account->id, State::Failed, operation.updated));
  return {};
}

Result<void> record_check_failed(Transaction& tx, const Operation& operation) {
  const std::string why = operation.error ? operation.error->message : "the check was cancelled";
  const auto recorded = registry::record_health(tx, account_of(operation),
                                                registry::Health::Failing, why, operation.updated);
  // The tenant may be gone by now.
  if (!recorded && recorded.error().code != Code::NotFound) return recorded;
  return {};
}

}  // namespace

operation::Kind Lifecycle::changing(std::string name, std::vector<operation::Step> steps) {
  operation::Kind kind{.name = std::move(name), .steps = std::move(steps), .on_failure = {}};
  kind.concurrency = kConcurrentChanges;
  return kind;
}

void Lifecycle::register_kinds() {
  const operation::Step prepare_step{"prepare", [this](const Operation& o) { return prepare(o); }};
  const operation::Step converge_step{"converge",
                                      [this](const Operation& o) { return converge(o); }};
  const operation::Step publish_step{"publish", [this](const Operation& o) { return publish(o); }};
  const operation::Step check_step{"request-check",
                                   [this](const Operation& o) { return request_check(o); }};
  auto create = changing("tenant.create", {prepare_step, converge_step, publish_step, check_step});
  create.on_failure = record_create_failed;
  parts_.engine.add_kind(std::move(create));
  parts_.engine.add_kind(
      changing("tenant.update", {prepare_step, converge_step, publish_step, check_step}));
  // Traffic is refused first, then the services stop; and the other way round.
  parts_.engine.add_kind(changing("tenant.suspend", {publish_step, converge_step}));
  parts_.engine.add_kind(changing("tenant.resume", {prepare_step, converge_step, publish_step}));
  parts_.engine.add_kind(changing(
      "tenant.offboard", {publish_step,
                          converge_step,
                          {"retain", [this](const Operation& o) { return retain(o); }},
                          {"destroy", [this](const Operation& o) { return destroy(o); }},
                          {"unpublish", [this](const Operation& o) { return publish(o); }}}));
  operation::Kind check_kind{.name = "deployment.check",
                             .steps = {{"check", [this](const Operation& o) { return check(o); }}},
                             .on_failure = record_check_failed};
  check_kind.concurrency = kConcurrentChecks;
  check_kind.max_attempts = kCheckAttempts;
  parts_.engine.add_kind(std::move(check_kind));
}

Lifecycle::Step Lifecycle::prepare(Operation operation) {
  CO_TRY_ASSIGN(const Account account, co_await get(account_of(operation)));
  if (account.desired_release.empty()) co_return Outcome();
  CO_TRY_ASSIGN(cloud::Driver * driver, co_await cloud_of(account.id));
  CO_TRY(co_await driver->prepare_release(account.desired_release));
  co_return Outcome{.commit = {}, .scratch = {}, .detail = "release is at hand", .not_before = {}};
}

Lifecycle::Step Lifecycle::converge(Operation operation) {
  const AccountId id = account_of(operation);
  cloud::Desired desired;
  CO_TRY(co_await parts_.store.read([&](Transaction& tx) -> Result<void> {
    TRY_ASSIGN(const Account account, registry::get(tx, id));
    TRY_ASSIGN(desired, desired_of(tx, account));
    return {};
  }));
  CO_TRY_ASSIGN(cloud::Driver * driver, co_await cloud_of(id));
  CO_TRY_ASSIGN(const cloud::Actual actual, co_await driver->converge(desired));
  Outcome outcome;
  outcome.detail = fmt::format("account is as desired (version {})", actual.version);
  outcome.commit = [actual, now = parts_.clock.wall()](Transaction& tx) {
    return record_converged(tx, actual, now);
  };
  co_return outcome;
}

Lifecycle::Step Lifecycle::publish(Operation) {
  CO_TRY(co_await parts_.publisher.publish());
  co_return Outcome{.commit = {}, .scratch = {}, .detail = "the gateway knows", .not_before = {}};
}

// An operation of its own, so that a burst of new tenants is not held up by waking each of them.
Lifecycle::Step Lifecycle::request_check(Operation operation) {
  operation::Request request{.kind = "deployment.check",
                             .subject = "check/" + account_of(operation).value,
                             .input = operation.input,
                             .actor = operation.actor,
                             .idempotency_key = "check-after/" + operation.id.value};
  CO_TRY_ASSIGN(const Operation follow, co_await parts_.engine.submit(std::move(request)));
  Outcome outcome;
  outcome.scratch["check"] = follow.id.value;
  outcome.detail = "its health is checked next";
  co_return outcome;
}

Lifecycle::Step Lifecycle::check(Operation operation) {
  const AccountId id = account_of(operation);
  std::vector<std::string> paths;
  CO_TRY(co_await parts_.store.read([&](Transaction& tx) -> Result<void> {
    TRY_ASSIGN(const Account account, registry::get(tx, id));
    // Suspended or going away since: nothing to check, nothing to alarm about.
    if (account.state != State::Active || account.desired_release.empty()) return {};
    TRY_ASSIGN(const auto release, registry::get_release_by_hash(tx, account.desired_release));
    TRY_ASSIGN(paths, health_paths(release.manifest));
    return {};
  }));
  for (const std::string& path : paths) CO_TRY(co_await parts_.prober.probe(id, path));
  Outcome outcome;
  outcome.detail = paths.empty() ? "there is nothing to ask" : "every service answers";
  if (!paths.empty()) {
    outcome.commit = [id, now = parts_.clock.wall()](Transaction& tx) {
      return registry::record_health(tx, id, registry::Health::Well, "", now);
    };
  }
  co_return outcome;
}

Lifecycle::Step Lifecycle::retain(Operation operation) {
  const auto until = base::json::get_int_or(operation.input, "retain_until", 0).value_or(0);
  Outcome outcome;
  outcome.not_before = base::WallTime(std::chrono::microseconds(until));
  outcome.detail = "data is kept until " + base::to_rfc3339(*outcome.not_before);
  co_return outcome;
}

Lifecycle::Step Lifecycle::destroy(Operation operation) {
  const AccountId id = account_of(operation);
  CO_TRY_ASSIGN(cloud::Driver * driver, co_await cloud_of(id));
  CO_TRY(co_await driver->destroy(id));
  Outcome outcome;
  outcome.detail = "account and data are destroyed";
  outcome.commit = [id](Transaction& tx) { return registry::remove(tx, id); };
  co_return outcome;
}

}  // namespace granary::lifecycle
