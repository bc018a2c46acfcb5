#include <algorithm>

#include "base/amount.h"
#include "lifecycle/steps.h"
#include "lifecycle/subjects.h"
#include "registry/audit.h"

// What concerns many accounts: each gets an operation of its own, so that one that fails holds up
// no other.
namespace granary::lifecycle {

using base::AccountId;
using base::Code;
using base::Result;
using base::Task;
using base::json::array;
using base::json::object;
using operation::Operation;
using operation::Outcome;
using registry::Account;
using registry::State;
using store::Transaction;

namespace {

constexpr std::uint32_t kPage = 500;

bool uses_secret(const std::string& manifest, const std::string& name) {
  const auto document = base::json::parse_object(manifest, 1U << 20);
  if (!document) return false;
  const array* names = base::json::find_array(*document, "secrets");
  return names != nullptr && std::ranges::any_of(*names, [&](const base::json::value& item) {
           return item.is_string() && item.get_string() == name;
         });
}

// Accounts whose release declares the secret; releases are looked at once each.
Result<std::vector<AccountId>> accounts_with_secret(Transaction& tx, const std::string& name) {
  std::map<std::string, bool> uses;
  std::vector<AccountId> accounts;
  registry::Filter filter{.after = {}, .limit = kPage, .state = {}, .kind = {}};
  for (;;) {
    TRY_ASSIGN(const auto page, registry::list(tx, filter));
    for (const Account& account : page) {
      if (account.desired_release.empty()) continue;
      if (!uses.contains(account.desired_release)) {
        TRY_ASSIGN(const auto release, registry::get_release_by_hash(tx, account.desired_release));
        uses[account.desired_release] = uses_secret(release.manifest, name);
      }
      if (uses[account.desired_release]) accounts.push_back(account.id);
    }
    if (page.size() < kPage) return accounts;
    filter.after = page.back().id.value;
  }
}

Result<std::vector<AccountId>> accounts_with_plan(Transaction& tx, const std::string& plan) {
  std::vector<AccountId> accounts;
  for (;;) {
    TRY_ASSIGN(
        const auto page,
        registry::list_by_plan(tx, plan, accounts.empty() ? "" : accounts.back().value, kPage));
    accounts.insert(accounts.end(), page.begin(), page.end());
    if (page.size() < kPage) return accounts;
  }
}

Outcome counted(std::uint64_t accounts) {
  Outcome outcome;
  outcome.detail = base::counted(accounts, "account") + " to update";
  object result;
  result["accounts"] = accounts;
  outcome.scratch["result"] = std::move(result);
  return outcome;
}

bool named(const object& input, const char* list, const AccountId& account) {
  const array* names = base::json::find_array(input, list);
  return names != nullptr && std::ranges::any_of(*names, [&](const base::json::value& item) {
           return item.is_string() && item.get_string() == account.value;
         });
}

}  // namespace

Task<Result<std::uint64_t>> Lifecycle::Steps::submit_applies(Operation operation,
                                                             std::vector<AccountId> accounts,
                                                             Data data) {
  std::uint64_t submitted = 0;
  for (const AccountId& id : accounts) {
    object input;
    input["account"] = id.value;
    if (data == Data::GiveUp) input["anew"] = true;
    operation::Request request{
        .kind = "tenant.apply",
        .subject = subject_of(id),
        .input = std::move(input),
        .actor = operation.actor,
        .idempotency_key = fmt::format("for/{}/{}", operation.id.value, id.value)};
    const auto follow = co_await parts.engine.submit(
        std::move(request),
        [id, data, actor = operation.actor,
         now = parts.clock.wall()](Transaction& tx) -> Result<void> {
          TRY_ASSIGN(const Account account, registry::get(tx, id));
          // One that is being made or restored may have read its rows already: it gets its own
          // operation, which comes after that.
          if (account.state == State::Offboarding || account.state == State::Failed)
            return base::fail(Code::Conflict, "'{}' is {}", id.value,
                              registry::to_string(account.state));
          if (data == Data::GiveUp)
            TRY(registry::append_audit(tx, {actor, "account.recreate", subject_of(id), {}, {}},
                                       now));
          TRY(registry::touch(tx, id, now));
          return {};
        });
    // Gone, on its way out, or never made.
    const bool needless =
        !follow && (follow.error().code == Code::NotFound || follow.error().code == Code::Conflict);
    if (!follow && !needless) co_return std::unexpected(follow.error());
    submitted += follow ? 1 : 0;
  }
  co_return submitted;
}

Lifecycle::Steps::Step Lifecycle::Steps::apply_plan(Operation operation) {
  CO_TRY_ASSIGN(const std::string plan, base::json::get_string(operation.input, "plan"));
  std::vector<AccountId> accounts;
  CO_TRY(co_await parts.store.read([&](Transaction& tx) -> Result<void> {
    TRY_ASSIGN(accounts, accounts_with_plan(tx, plan));
    return {};
  }));
  CO_TRY_ASSIGN(const std::uint64_t submitted,
                co_await submit_applies(std::move(operation), std::move(accounts), Data::Keep));
  co_return counted(submitted);
}

Lifecycle::Steps::Step Lifecycle::Steps::apply_secret(Operation operation) {
  CO_TRY_ASSIGN(const std::string name, base::json::get_string(operation.input, "secret"));
  std::vector<AccountId> accounts;
  CO_TRY(co_await parts.store.read([&](Transaction& tx) -> Result<void> {
    TRY_ASSIGN(accounts, accounts_with_secret(tx, name));
    return {};
  }));
  CO_TRY_ASSIGN(const std::uint64_t submitted,
                co_await submit_applies(std::move(operation), std::move(accounts), Data::Keep));
  co_return counted(submitted);
}

Lifecycle::Steps::Step Lifecycle::Steps::mend(Operation operation) {
  CO_TRY_ASSIGN(const Drift drift, co_await whole.find_drift());
  std::vector<AccountId> converge;
  std::vector<AccountId> recreate;
  std::vector<AccountId> destroyed;
  for (const DriftItem& item : drift.items) {
    const bool lost = item.kind == DriftKind::Missing || item.kind == DriftKind::Damaged;
    const bool given_up = lost && named(operation.input, "recreate", item.account);
    if (given_up) recreate.push_back(item.account);
    if (item.mends && !given_up) converge.push_back(item.account);
    if (item.kind != DriftKind::Orphan || !named(operation.input, "destroy", item.account))
      continue;
    CO_TRY_ASSIGN(cloud::Driver * driver, whole.driver_named(item.cloud));
    CO_TRY(co_await driver->destroy(item.account));
    destroyed.push_back(item.account);
  }
  Outcome outcome;
  CO_TRY_ASSIGN(const std::uint64_t applied,
                co_await submit_applies(operation, converge, Data::Keep));
  CO_TRY_ASSIGN(const std::uint64_t made,
                co_await submit_applies(operation, recreate, Data::GiveUp));
  const std::uint64_t mended = applied + made;
  object result;
  result["found"] = drift.items.size();
  result["mended"] = mended;
  result["destroyed"] = destroyed.size();
  result["compared"] = drift.compared;
  outcome.detail =
      fmt::format("{}; {} to update, {} destroyed", base::counted(drift.items.size(), "difference"),
                  base::counted(mended, "account"), destroyed.size());
  outcome.scratch["result"] = std::move(result);
  outcome.commit = [destroyed, actor = actor_of(operation),
                    now = parts.clock.wall()](Transaction& tx) -> Result<void> {
    for (const AccountId& id : destroyed)
      TRY(registry::append_audit(tx, {actor, "account.orphan-destroyed", subject_of(id), {}, {}},
                                 now));
    return {};
  };
  co_return outcome;
}

}  // namespace granary::lifecycle
