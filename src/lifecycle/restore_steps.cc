#include "lifecycle/desired.h"
#include "lifecycle/steps.h"
#include "lifecycle/subjects.h"

// Restoring: the traffic of the account is refused, its data is replaced whole, and it is let go
// on. When the data cannot be taken, the account goes on as it was (a new one goes away again), and
// the operation fails at its end with the reason.
namespace granary::lifecycle {

using base::AccountId;
using base::Code;
using base::Result;
using base::json::object;
using operation::Operation;
using operation::Outcome;
using registry::Account;
using registry::State;
using store::Transaction;

namespace {

bool makes_new(const Operation& operation) {
  return base::json::get_string_or(operation.input, "was", "").value_or("").empty();
}

const object* problem_of(const Operation& operation) {
  return base::json::find_object(operation.scratch, "problem");
}

Outcome said(std::string detail) {
  return {.commit = {}, .scratch = {}, .detail = std::move(detail), .not_before = {}};
}

// The archive's release, or the one that was asked for, becomes what the new tenant is to run.
Result<void> choose_release(Transaction& tx, const Operation& operation, const std::string& hash,
                            base::WallTime now) {
  TRY_ASSIGN(const std::string asked, base::json::get_string_or(operation.input, "release", ""));
  const std::string& chosen = asked.empty() ? hash : asked;
  if (chosen.empty()) return {};
  const AccountId id = account_of(operation);
  TRY(registry::set_desired_release(tx, id, chosen, now));
  return take_slots(tx, id, chosen);
}

}  // namespace

Lifecycle::Steps::Step Lifecycle::Steps::unpack(Operation operation) {
  CO_TRY_ASSIGN(const std::string archive, base::json::get_string(operation.input, "archive"));
  CO_TRY_ASSIGN(const ArchiveHead head,
                co_await parts.archives.unpack(archive, operation.id.value, operation.actor));
  Outcome outcome = said(fmt::format("{} files of {} as of {}", head.data.files, head.tenant,
                                     base::to_rfc3339(head.created)));
  outcome.scratch["data"] = to_json(head.data);
  if (!makes_new(operation)) co_return outcome;
  outcome.commit = [operation, hash = head.release_hash, now = parts.clock.wall()](
                       Transaction& tx) { return choose_release(tx, operation, hash, now); };
  co_return outcome;
}

// As converge, but nothing becomes active by it.
Lifecycle::Steps::Step Lifecycle::Steps::converge_closed(Operation operation) {
  CO_TRY_ASSIGN(Target target, co_await target_of(account_of(operation)));
  target.desired.traffic = cloud::Traffic::Suspended;
  CO_TRY_ASSIGN(const cloud::Actual actual,
                co_await target.driver->converge(std::move(target.desired)));
  Outcome outcome = said("the account is there, and nothing of it runs");
  outcome.commit = [actual, now = parts.clock.wall()](Transaction& tx) {
    return registry::record_actual(tx, actual.account, actual.release_hash, actual.isolation, now);
  };
  co_return outcome;
}

Lifecycle::Steps::Step Lifecycle::Steps::import_data(Operation operation) {
  const AccountId id = account_of(operation);
  const object* exported = base::json::find_object(operation.scratch, "data");
  if (exported == nullptr) co_return base::fail(Code::Internal, "there is no data to import");
  CO_TRY_ASSIGN(const cloud::DataExport data, data_export_from(*exported));
  CO_TRY_ASSIGN(cloud::Driver * driver, co_await whole.cloud_of(id));
  const auto imported = co_await driver->import_data(id, operation.id.value, data.sha256);
  if (!imported && base::is_transient(imported.error().code))
    co_return std::unexpected(imported.error());
  Outcome outcome = said("all data is in its place");
  if (!imported) {
    outcome.scratch["problem"] = base::json::from_error(imported.error());
    outcome.detail = "the data was not taken: " + imported.error().message;
  }
  co_return outcome;
}

Lifecycle::Steps::Step Lifecycle::Steps::settle(Operation operation) {
  const AccountId id = account_of(operation);
  CO_TRY(co_await parts.archives.remove(operation.id.value));
  const bool undo = problem_of(operation) != nullptr && makes_new(operation);
  if (undo) {
    CO_TRY_ASSIGN(cloud::Driver * driver, co_await whole.cloud_of(id));
    CO_TRY(co_await driver->destroy(id));
  }
  State to = State::Active;
  if (!makes_new(operation)) {
    CO_TRY_ASSIGN(const std::string was, base::json::get_string(operation.input, "was"));
    CO_TRY_ASSIGN(to, registry::state_from(was));
  }
  Outcome outcome = said(undo ? "the new account was taken away again" : "it may go on");
  outcome.commit = [id, undo, to, actor = actor_of(operation),
                    now = parts.clock.wall()](Transaction& tx) {
    return with_audit(tx, id, {actor, "tenant.restore-settled", {}}, now,
                      [&](Transaction& inside) -> Result<void> {
                        if (undo) return registry::remove(inside, id);
                        // What was asked for closed and what comes next differ: so do their
                        // versions, lest a repetition of the first undo the second.
                        TRY(registry::touch(inside, id, now));
                        if (to == State::Active) return make_active(inside, id, now);
                        TRY(registry::set_state(inside, id, to, now));
                        return {};
                      });
  };
  co_return outcome;
}

Lifecycle::Steps::Step Lifecycle::Steps::reopen(Operation operation) {
  if (problem_of(operation) != nullptr && makes_new(operation))
    co_return said("there is nothing to go on with");
  co_return co_await converge(std::move(operation));
}

Lifecycle::Steps::Step Lifecycle::Steps::conclude(Operation operation) {
  if (const object* problem = problem_of(operation))
    co_return std::unexpected(base::json::to_error(*problem));
  co_return co_await request_check(std::move(operation));
}

}  // namespace granary::lifecycle
