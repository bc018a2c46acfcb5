#include "lifecycle/desired.h"
#include "lifecycle/steps.h"
#include "lifecycle/subjects.h"

// An update names the release that it brings, so that a retry brings that one, and so that one that
// the cloud refuses leaves the account at what it serves.
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

// Nothing of the account was changed then: what fails for good is refused before that.
bool is_refusal(const std::optional<base::Error>& error) {
  return !error || !base::is_transient(error->code);
}

bool wants_another(const Account& account) {
  return !account.actual_release.empty() && account.actual_release != account.desired_release;
}

}  // namespace

Result<void> record_update_refused(Transaction& tx, const Operation& operation) {
  const std::string name = release_in(operation);
  const bool unchanged = operation.step == "prepare" || operation.step == "converge";
  if (name.empty() || !unchanged || !is_refusal(operation.error)) return {};
  const auto account = registry::get(tx, account_of(operation));
  if (!account || !wants_another(*account)) return {};
  if (account->state != State::Active && account->state != State::Suspended) return {};
  // A later update wants something else, and is to have it.
  const auto refused = registry::get_release(tx, name);
  if (!refused || refused->hash != account->desired_release) return {};
  return with_audit(tx, account->id, {actor_of(operation), "tenant.update-refused", {}},
                    operation.updated, [&](Transaction& inside) {
                      return desire_release(inside, account->id, account->actual_release,
                                            operation.updated);
                    });
}

// After a refusal the account is to be at another release, and after a later update as well.
Task<Result<void>> Lifecycle::Steps::take_up_release(Operation operation) {
  const AccountId id = account_of(operation);
  const std::string name = release_in(operation);
  if (name.empty()) co_return Result<void>();
  std::string wanted;
  const auto look = [&](Transaction& tx) -> Result<void> {
    TRY_ASSIGN(const Account account, registry::get(tx, id));
    TRY_ASSIGN(const auto release, registry::get_release(tx, name));
    wanted = account.desired_release == release.hash ? "" : release.hash;
    return {};
  };
  CO_TRY(co_await parts.store.read(look));
  if (wanted.empty()) co_return Result<void>();
  co_return co_await parts.store.write([&, now = parts.clock.wall()](Transaction& tx) {
    return with_audit(tx, id, {actor_of(operation), operation.kind, {}}, now,
                      [&](Transaction& inside) -> Result<void> {
                        TRY_ASSIGN(const Account account, registry::get(inside, id));
                        TRY(check_free(account));
                        TRY(check_pin(account, now));
                        return desire_release(inside, id, wanted, now);
                      });
  });
}

Lifecycle::Steps::Step Lifecycle::Steps::prepare_update(Operation operation) {
  CO_TRY(co_await take_up_release(operation));
  co_return co_await prepare(std::move(operation));
}

// A retry begins here. One that is refused is followed by an operation that brings the account to
// the release that it has: with the version, and what else was asked for together with the release.
Lifecycle::Steps::Step Lifecycle::Steps::converge_update(Operation operation) {
  CO_TRY(co_await take_up_release(operation));
  CO_TRY_ASSIGN(const Account account, co_await whole.get(account_of(operation)));
  auto converged = co_await converge(operation);
  const bool stays = !converged && is_refusal(converged.error()) && wants_another(account) &&
                     !release_in(operation).empty() && account.state != State::Failed;
  if (!stays) co_return converged;
  base::json::object input{{"account", account.id.value}, {kAfterRefusal, operation.id.value}};
  operation::Request request{
      .kind = "tenant.apply",
      .subject = subject_of(account.id),
      .input = std::move(input),
      .actor = operation.actor,
      .idempotency_key = fmt::format("after-refusal/{}/{}", operation.id.value, account.version)};
  CO_TRY(co_await parts.engine.submit(std::move(request)));
  co_return converged;
}

// What the release has that this cloud cannot run is mended by another release: the same one again
// fails again.
Task<base::Error> Lifecycle::Steps::with_way_on(Operation operation, base::Error error) {
  if (error.code != Code::InvalidArgument && error.code != Code::NotSupported) co_return error;
  const AccountId id = account_of(operation);
  std::string present;  // the release that it has, where it is to have another
  (void)co_await parts.store.read([&](Transaction& tx) -> Result<void> {
    TRY_ASSIGN(const Account account, registry::get(tx, id));
    if (!wants_another(account)) return {};
    TRY_ASSIGN(const auto release, registry::get_release_by_hash(tx, account.actual_release));
    present = release.id.value;
    return {};
  });
  if (!error.advice.empty()) error.advice += ". ";
  error.advice += fmt::format(
      "Then deploy the corrected release: granary tenant update {} --release NEW", id.value);
  if (present.empty()) co_return error;
  error.advice +=
      release_in(operation).empty()
          ? fmt::format(". Or go back: granary tenant update {} --release {}", id.value, present)
          : fmt::format(". Until then {} stays at release {}", id.value, present);
  co_return error;
}

}  // namespace granary::lifecycle
