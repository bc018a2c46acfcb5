#include "lifecycle/condition.h"

#include <algorithm>

#include "lifecycle/desired.h"
#include "lifecycle/lifecycle.h"
#include "lifecycle/limits.h"
#include "lifecycle/subjects.h"

namespace granary::lifecycle {

using base::AccountId;
using base::Result;
using base::Task;
using operation::Operation;
using registry::Account;
using registry::State;
using store::Transaction;

namespace {

bool failure_counts(const Operation& operation, const Account& account) {
  // What a check found holds until the next deployment or the next check.
  if (operation.kind == kCheckKind) return account.health == registry::Health::Failing;
  // One that was called off left something undone only where nothing was there before.
  return operation.state == operation::State::Failed || account.state == State::Failed;
}

// Whether it leaves the account as desired, whatever failed before it.
bool settles(const Operation& operation, const Account& account) {
  return account.state != State::Failed && operation.kind != "tenant.export" &&
         !operation.input.contains(kAfterRefusal);
}

}  // namespace

const Operation* failure_in(const std::vector<Operation>& operations, const Account& account) {
  for (const Operation& operation : operations) {
    switch (operation.state) {
      case operation::State::Queued:
      case operation::State::Running:
      case operation::State::Waiting:
        if (operation.error) return &operation;  // of its last attempt; it is tried again
        break;
      case operation::State::Succeeded:
        if (settles(operation, account)) return nullptr;
        break;
      case operation::State::Failed:
      case operation::State::Cancelled:
        if (failure_counts(operation, account)) return &operation;
        break;
    }
  }
  return nullptr;
}

Task<Result<Condition>> Lifecycle::condition(AccountId id) {
  Condition condition;
  Account account;
  CO_TRY(co_await parts_.store.read([&](Transaction& tx) -> Result<void> {
    TRY_ASSIGN(account, registry::get(tx, id));
    if (account.desired_release.empty()) return {};
    TRY_ASSIGN(const auto release, registry::get_release_by_hash(tx, account.desired_release));
    TRY_ASSIGN(condition.services, service_names(release.manifest));
    TRY_ASSIGN(condition.secrets_not_set, secrets_not_set(tx, account));
    return {};
  }));
  CO_TRY_ASSIGN(auto operations, co_await parts_.engine.list(
                                     {.subject = subject_of(id), .limit = kConditionLooksBack}));
  CO_TRY_ASSIGN(auto checks, co_await parts_.engine.list(
                                 {.subject = check_subject(id), .limit = kConditionLooksBack}));
  operations.insert(operations.end(), std::make_move_iterator(checks.begin()),
                    std::make_move_iterator(checks.end()));
  // Ids are in order of submission.
  std::ranges::sort(operations, std::ranges::greater(), &Operation::id);
  if (const Operation* failed = failure_in(operations, account)) condition.failed = *failed;
  if (!operations.empty()) condition.newest = std::move(operations.front());
  co_return condition;
}

}  // namespace granary::lifecycle
