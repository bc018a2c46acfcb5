#include "lifecycle/desired.h"
#include "lifecycle/limits.h"
#include "lifecycle/steps.h"
#include "lifecycle/subjects.h"

// What is asked of an app after its deployment, and what is told when it does not serve.
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

// An operation of its own, so that a burst of new tenants is not held up by waking each of them.
Lifecycle::Steps::Step Lifecycle::Steps::request_check(Operation operation) {
  base::json::object input;
  const AccountId id = account_of(operation);
  input["account"] = id.value;
  CO_TRY(co_await parts.store.read([&](Transaction& tx) -> Result<void> {
    TRY_ASSIGN(const Account account, registry::get(tx, id));
    if (account.actual_release.empty()) return {};
    TRY_ASSIGN(const auto release, registry::get_release_by_hash(tx, account.actual_release));
    input[kReleaseInput] = release.id.value;
    return {};
  }));
  if (const auto* began = operation.scratch.if_contains(kConvergeBegan))
    input[kConvergeBegan] = *began;
  operation::Request request{.kind = kCheckKind,
                             .subject = check_subject(id),
                             .input = std::move(input),
                             .actor = operation.actor,
                             .idempotency_key = "check-after/" + operation.id.value};
  CO_TRY_ASSIGN(const Operation follow, co_await parts.engine.submit(std::move(request)));
  Outcome outcome;
  outcome.follow_up = follow.id;
  outcome.detail = "its health is checked next";
  co_return outcome;
}

// What the cloud knows of the service just now; nothing where it does not answer.
Task<std::optional<cloud::ServiceStatus>> Lifecycle::Steps::status_of(AccountId id,
                                                                      std::string service) {
  const auto actual = co_await whole.inspect(id);
  if (!actual) co_return std::nullopt;
  const auto found = std::ranges::find(actual->services, service, &cloud::ServiceStatus::name);
  if (found == actual->services.end()) co_return std::nullopt;
  co_return *found;
}

// A path at which an app crashes, or answers what is no HTTP, does not make the deployment fail:
// the app has started and takes connections, and its other paths may be fine. So from the second
// attempt on another path is asked; what crashes at its start crashes there as well. What the cloud
// says of the phase decides nothing: it may not have noticed an end yet.
Task<Result<void>> Lifecycle::Steps::ask(AccountId id, Question question, std::uint32_t attempt) {
  if (question.wants == Question::Wants::Success)
    co_return co_await parts.prober.probe(id, question.path);
  const std::string path = attempt > 1 ? path_of_nothing(question.path) : question.path;
  CO_TRY_ASSIGN(const Prober::Answer answer, co_await parts.prober.reach(id, path));
  if (answer == Prober::Answer::OfApp) co_return Result<void>();
  co_return base::fail(Code::Unavailable, "service {} ended, or broke off, instead of answering {}",
                       question.service, path);
}

namespace {

// In the scratch of a check: something was asked, which a suspended tenant is not.
constexpr const char* kAsked = "asked";

// Whether the deployment that is checked can be what failed: what an earlier one left behind, and
// what has served since, explains nothing. Times are told in whole seconds.
bool is_of(const Operation& check, const std::string& failure) {
  if (failure.empty() || failure.ends_with("It has served again since")) return false;
  const auto began = base::json::get_int_or(check.input, kConvergeBegan, 0);
  const auto at = base::parse_rfc3339(failure.substr(0, failure.find(' ')));
  if (!began || !at) return true;
  return *at >=
         std::chrono::floor<std::chrono::seconds>(base::WallTime(base::WallTime::duration(*began)));
}

}  // namespace

// The newest other release of this account that passed its check and is still there; empty: none.
Task<std::string> Lifecycle::Steps::served_before(Operation check) {
  const auto checks = co_await parts.engine.list({.subject = check.subject,
                                                  .kind = kCheckKind,
                                                  .state = operation::State::Succeeded,
                                                  .after = {},
                                                  .limit = kConditionLooksBack});
  if (!checks) co_return "";
  const auto found = std::ranges::find_if(*checks, [&](const Operation& earlier) {
    return earlier.scratch.contains(kAsked) && !release_in(earlier).empty() &&
           release_in(earlier) != release_in(check);
  });
  if (found == checks->end() || release_in(check).empty()) co_return "";
  const std::string name = release_in(*found);
  const auto there = co_await parts.store.read([&](Transaction& tx) -> Result<void> {
    TRY(registry::get_release(tx, name));
    return {};
  });
  co_return there ? name : "";
}

// With what the cloud knows of the service, and the ways out.
Task<base::Error> Lifecycle::Steps::explained(const Operation& operation, AccountId id,
                                              std::string service, base::Error error) {
  const auto status = co_await status_of(id, service);
  if (status && is_of(operation, status->last_failure))
    error.message += fmt::format("; service {}: {}", service, status->last_failure);
  error.advice = fmt::format(
      "See granary tenant show {0} and granary tenant logs {0}. If the fault is the release's: "
      "granary tenant update {0} --release NEW. If it was elsewhere, check again: granary "
      "operation "
      "retry {1}",
      id.value, operation.id.value);
  const std::string before = co_await served_before(operation);
  if (!before.empty())
    error.advice +=
        fmt::format(". Go back: granary tenant update {} --release {}", id.value, before);
  co_return error;
}

Lifecycle::Steps::Step Lifecycle::Steps::check(Operation operation) {
  const AccountId id = account_of(operation);
  std::vector<Question> questions;
  CO_TRY(co_await parts.store.read([&](Transaction& tx) -> Result<void> {
    TRY_ASSIGN(const Account account, registry::get(tx, id));
    // Suspended or going away since: nothing to check, nothing to alarm about.
    if (account.state != State::Active || account.desired_release.empty()) return {};
    TRY_ASSIGN(const auto release, registry::get_release_by_hash(tx, account.desired_release));
    TRY_ASSIGN(questions, questions_of(release.manifest));
    return {};
  }));
  for (const Question& question : questions) {
    auto asked = co_await ask(id, question, operation.attempts);
    if (!asked)
      co_return std::unexpected(
          co_await explained(operation, id, question.service, std::move(asked).error()));
  }
  Outcome outcome;
  outcome.detail = questions.empty() ? "there is nothing to ask" : "every service answers";
  if (!questions.empty()) {
    outcome.scratch[kAsked] = true;
    outcome.commit = [id, now = parts.clock.wall()](Transaction& tx) {
      return registry::record_health(tx, id, registry::Health::Well, "", now);
    };
  }
  co_return outcome;
}

}  // namespace granary::lifecycle
