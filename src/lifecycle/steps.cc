#include "lifecycle/steps.h"

#include <fmt/ranges.h>

#include "lifecycle/desired.h"
#include "lifecycle/limits.h"
#include "lifecycle/subjects.h"

// The kinds of operations and the steps that most of them share.
namespace granary::lifecycle {

using base::AccountId;
using base::Code;
using base::Result;
using base::Task;
using operation::KindRole;
using operation::Operation;
using operation::Outcome;
using registry::Account;
using registry::State;
using store::Transaction;

namespace {

// After its account is real: a created tenant becomes active, unless it is being offboarded.
Result<void> record_converged(Transaction& tx, const cloud::Actual& actual, base::WallTime now) {
  TRY_ASSIGN(const Account account, registry::get(tx, actual.account));
  TRY(registry::record_actual(tx, account.id, actual.release_hash, actual.isolation, now));
  // What was found of the release before says nothing of this one.
  if (actual.release_hash != account.actual_release)
    TRY(registry::record_health(tx, account.id, registry::Health::Unknown, "", now));
  if (account.state == State::Restoring) return {};
  return make_active(tx, account.id, now);
}

Result<void> record_create_failed(Transaction& tx, const Operation& operation) {
  const auto account = registry::get(tx, account_of(operation));
  if (!account || account->state != State::Creating) return {};
  return with_audit(
      tx, account->id, {actor_of(operation), "tenant.create-failed", {}}, operation.updated,
      [&](Transaction& inside) -> Result<void> {
        TRY(registry::set_state(inside, account->id, State::Failed, operation.updated));
        return {};
      });
}

// Called off while its data was kept: it stays suspended, and can be resumed.
Result<void> record_offboard_ended(Transaction& tx, const Operation& operation) {
  const auto account = registry::get(tx, account_of(operation));
  if (!account || account->state != State::Offboarding) return {};
  // Once its data may be gone there is no way back: a retry, or another offboarding, goes on.
  if (operation.step == "destroy" || operation.step == "unpublish") return {};
  return with_audit(
      tx, account->id, {actor_of(operation), "tenant.offboard-ended", {}}, operation.updated,
      [&](Transaction& inside) -> Result<void> {
        TRY(registry::set_state(inside, account->id, State::Suspended, operation.updated));
        TRY_ASSIGN(auto archive, registry::find_archive(inside, operation.id.value));
        if (!archive) return {};
        archive->kind = registry::ArchiveKind::Export;
        archive->expires = operation.updated + kKeepFinalAfterEnd;
        return registry::put_archive(inside, *archive);
      });
}

Result<void> record_restore_ended(Transaction& tx, const Operation& operation) {
  const auto account = registry::get(tx, account_of(operation));
  if (!account || account->state != State::Restoring) return {};
  TRY_ASSIGN(const std::string was, base::json::get_string_or(operation.input, "was", ""));
  return with_audit(tx, account->id, {actor_of(operation), "tenant.restore-ended", {}},
                    operation.updated, [&](Transaction& inside) -> Result<void> {
                      // A new tenant: what is of it may be retried or offboarded.
                      State to = State::Failed;
                      if (!was.empty()) {
                        TRY_ASSIGN(to, registry::state_from(was));
                      }
                      TRY(registry::set_state(inside, account->id, to, operation.updated));
                      return {};
                    });
}

void warn_of_secrets(const std::vector<std::string>& names, Outcome& outcome) {
  if (names.empty()) return;
  base::json::array warnings;
  for (const std::string& name : names)
    warnings.emplace_back(
        fmt::format("the release declares the secret {0}, which is not set: the app finds no file "
                    "of it. Set it: granary secret set {0}",
                    name));
  outcome.detail += fmt::format("; secrets that are not set: {}", fmt::join(names, ", "));
  outcome.scratch["warnings"] = std::move(warnings);
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

operation::Step Lifecycle::Steps::step(std::string name, Run run) {
  return {std::move(name),
          [this, run](const Operation& operation) { return (this->*run)(operation); }};
}

operation::Step Lifecycle::Steps::leaving_step(std::string name, Run run) {
  return {std::move(name),
          [this, run](const Operation& operation) { return leaving(operation, run); }};
}

operation::Step Lifecycle::Steps::fan_out_step(NextChildren next) {
  operation::FanOut from;
  from.next = [this, next](const Operation& parent, std::string after, std::uint32_t limit) {
    return (this->*next)(parent, std::move(after), limit);
  };
  from.rules = [this](const Operation&) {
    return operation::FanOutRules{.window = parts.fan_out_window,
                                  .max_failures = kFanOutFailures,
                                  .max_failures_percent = {}};
  };
  from.result = [](const Operation& parent) {
    base::json::object result = parent.result.value_or(base::json::object());
    result["accounts"] = parent.children.begun;
    return result;
  };
  return {"fan-out", {}, std::move(from)};
}

operation::Kind Lifecycle::Steps::changing(std::string name, KindRole role,
                                           std::vector<operation::Step> steps) {
  operation::Kind kind{.name = std::move(name), .steps = std::move(steps), .on_failure = {}};
  kind.role = role;
  kind.concurrency = kConcurrentChanges;
  return kind;
}

void Lifecycle::Steps::add_kinds() {
  const operation::Step prepare_step = step("prepare", &Steps::prepare);
  const operation::Step converge_step = step("converge", &Steps::converge);
  const operation::Step publish_step = step("publish", &Steps::publish);
  const operation::Step check_step = step("request-check", &Steps::request_check);
  auto create = changing("tenant.create", KindRole::Deployer,
                         {prepare_step, converge_step, publish_step, check_step});
  create.on_failure = record_create_failed;
  auto exporting = changing("tenant.export", KindRole::Operator,
                            {step("data", &Steps::export_data), step("pack", &Steps::pack)});
  exporting.limit = kArchiveLimit;
  auto restore =
      changing("tenant.restore", KindRole::Operator,
               {step("unpack", &Steps::unpack), step("refuse", &Steps::publish), prepare_step,
                step("converge", &Steps::converge_closed), step("import", &Steps::import_data),
                step("settle", &Steps::settle), step("reopen", &Steps::reopen), publish_step,
                step("conclude", &Steps::conclude)});
  restore.limit = kArchiveLimit;
  restore.on_failure = record_restore_ended;
  auto offboard =
      changing("tenant.offboard", KindRole::Operator,
               {publish_step, step("converge", &Steps::close_account),
                leaving_step("final-export", &Steps::final_export),
                leaving_step("final-pack", &Steps::final_pack),
                leaving_step("retain", &Steps::retain), leaving_step("inspect", &Steps::inspect),
                leaving_step("destroy", &Steps::destroy), step("unpublish", &Steps::publish)});
  offboard.on_failure = record_offboard_ended;
  offboard.no_way_back = "destroy";
  operation::Kind check_kind =
      changing(kCheckKind, KindRole::Deployer, {step("check", &Steps::check)});
  check_kind.on_failure = record_check_failed;
  check_kind.concurrency = kConcurrentChecks;
  check_kind.max_attempts = kCheckAttempts;
  operation::Engine& engine = parts.engine;
  engine.add_limit(kArchiveLimit, kConcurrentArchives);
  engine.add_kind(std::move(create));
  auto update = changing("tenant.update", KindRole::Deployer,
                         {step("prepare", &Steps::prepare_update),
                          step("converge", &Steps::converge_update), publish_step, check_step});
  update.on_failure = record_update_refused;
  engine.add_kind(std::move(update));
  // The same without waking anything: what changed is not the app's code.
  engine.add_kind(changing("tenant.apply", KindRole::Deployer,
                           {prepare_step, step("converge", &Steps::converge_made), publish_step}));
  // Traffic is refused first, then the services stop; and the other way round.
  engine.add_kind(changing("tenant.suspend", KindRole::Deployer, {publish_step, converge_step}));
  engine.add_kind(changing("tenant.resume", KindRole::Deployer,
                           {prepare_step, converge_step, publish_step, check_step}));
  engine.add_kind(std::move(exporting));
  engine.add_kind(std::move(restore));
  engine.add_kind(std::move(offboard));
  engine.add_kind(std::move(check_kind));
  engine.add_kind(
      changing("release.delete", KindRole::Operator,
               {step("forget", &Steps::forget_release), step("remove", &Steps::remove_release)}));
  add_fleet_kinds();
}

// Of many accounts: each gets an operation of its own, so that one that fails holds up no other.
void Lifecycle::Steps::add_fleet_kinds() {
  operation::Engine& engine = parts.engine;
  operation::Step of_plan = fan_out_step(&Steps::accounts_of_plan);
  of_plan.fan_out.count = [this](const Operation& parent) {
    return count_accounts_of_plan(parent);
  };
  engine.add_kind(changing("plan.apply", KindRole::Operator, {std::move(of_plan)}));
  engine.add_kind(
      changing("secret.apply", KindRole::Operator, {fan_out_step(&Steps::accounts_of_secret)}));
  operation::Step to_mend = fan_out_step(&Steps::accounts_to_mend);
  // Each is broken by itself: that some stay so is no reason to leave the others.
  to_mend.fan_out.rules = [this](const Operation&) {
    return operation::FanOutRules{
        .window = parts.fan_out_window, .max_failures = {}, .max_failures_percent = {}};
  };
  to_mend.fan_out.result = [](const Operation& parent) {
    base::json::object result = parent.result.value_or(base::json::object());
    result["mended"] = parent.children.succeeded;
    return result;
  };
  engine.add_kind(changing("fleet.repair", KindRole::Operator,
                           {step("mend", &Steps::mend), std::move(to_mend)}));
}

Task<Result<Lifecycle::Steps::Target>> Lifecycle::Steps::target_of(AccountId id) {
  Target target;
  CO_TRY(co_await parts.store.read([&](Transaction& tx) -> Result<void> {
    TRY_ASSIGN(const Account account, registry::get(tx, id));
    TRY_ASSIGN(target.desired, desired_of(tx, account, parts.sealing_key));
    TRY_ASSIGN(target.secrets_not_set, secrets_not_set(tx, account));
    return {};
  }));
  CO_TRY_ASSIGN(target.driver, co_await whole.cloud_of(id));
  co_return target;
}

Lifecycle::Steps::Step Lifecycle::Steps::prepare(Operation operation) {
  CO_TRY_ASSIGN(const Account account, co_await whole.get(account_of(operation)));
  if (account.desired_release.empty()) co_return Outcome();
  CO_TRY_ASSIGN(cloud::Driver * driver, co_await whole.cloud_of(account.id));
  CO_TRY(co_await driver->prepare_release(account.desired_release));
  CO_TRY(co_await parts.publisher.permit(account.id));
  co_return Outcome{.commit = {}, .scratch = {}, .detail = "release is at hand", .not_before = {}};
}

Lifecycle::Steps::Step Lifecycle::Steps::converge(Operation operation) {
  const base::WallTime began = parts.clock.wall();
  CO_TRY_ASSIGN(Target target, co_await target_of(account_of(operation)));
  auto converged = co_await target.driver->converge(std::move(target.desired));
  if (!converged)
    co_return std::unexpected(
        co_await with_way_on(std::move(operation), std::move(converged).error()));
  const cloud::Actual& actual = *converged;
  Outcome outcome;
  outcome.detail = fmt::format("account is as desired (version {})", actual.version);
  warn_of_secrets(target.secrets_not_set, outcome);
  outcome.scratch[kConvergeBegan] = began.time_since_epoch().count();
  outcome.commit = [actual, now = parts.clock.wall()](Transaction& tx) {
    return record_converged(tx, actual, now);
  };
  co_return outcome;
}

// What was never made stays so: its creation is retried, not carried out by another operation.
Lifecycle::Steps::Step Lifecycle::Steps::converge_made(Operation operation) {
  CO_TRY_ASSIGN(const Account account, co_await whole.get(account_of(operation)));
  if (account.state == State::Failed)
    co_return Outcome{
        .commit = {}, .scratch = {}, .detail = "its creation has failed", .not_before = {}};
  if (operation.input.contains("anew")) CO_TRY(co_await destroy_broken(account.id));
  co_return co_await converge(std::move(operation));
}

// Broken at this very moment: what was mended or restored since somebody asked is kept.
Task<Result<void>> Lifecycle::Steps::destroy_broken(AccountId id) {
  CO_TRY_ASSIGN(cloud::Driver * driver, co_await whole.cloud_of(id));
  const auto actual = co_await driver->describe(id);
  if (!actual && actual.error().code == Code::NotFound) co_return Result<void>();
  if (!actual) co_return std::unexpected(actual.error());
  if (actual->problem.empty()) co_return Result<void>();
  co_return co_await driver->destroy(id);
}

Lifecycle::Steps::Step Lifecycle::Steps::publish(Operation) {
  CO_TRY(co_await parts.publisher.publish());
  co_return Outcome{.commit = {}, .scratch = {}, .detail = "the gateway knows", .not_before = {}};
}

}  // namespace granary::lifecycle
