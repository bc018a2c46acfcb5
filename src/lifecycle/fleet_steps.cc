#include <algorithm>

#include "base/amount.h"
#include "lifecycle/limits.h"
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
// In the scratch of a repair: the accounts that are brought up to date, and those that are made
// anew.
constexpr const char* kConverge = "converge";
constexpr const char* kRecreate = "recreate";

bool uses_secret(const std::string& manifest, const std::string& name) {
  const auto document = base::json::parse_object(manifest, 1U << 20);
  if (!document) return false;
  const array* names = base::json::find_array(*document, "secrets");
  return names != nullptr && std::ranges::any_of(*names, [&](const base::json::value& item) {
           return item.is_string() && item.get_string() == name;
         });
}

// Accounts after `after` whose release declares the secret, in order; releases are looked at once
// each.
Result<std::vector<AccountId>> accounts_with_secret(Transaction& tx, const std::string& name,
                                                    std::string after, std::uint32_t limit) {
  std::map<std::string, bool> uses;
  std::vector<AccountId> accounts;
  registry::Filter filter{.after = std::move(after), .limit = kPage, .state = {}, .kind = {}};
  for (;;) {
    TRY_ASSIGN(const auto page, registry::list(tx, filter));
    for (const Account& account : page) {
      if (account.desired_release.empty()) continue;
      if (!uses.contains(account.desired_release)) {
        TRY_ASSIGN(const auto release, registry::get_release_by_hash(tx, account.desired_release));
        uses[account.desired_release] = uses_secret(release.manifest, name);
      }
      if (uses[account.desired_release]) accounts.push_back(account.id);
      if (accounts.size() == limit) return accounts;
    }
    if (page.size() < kPage) return accounts;
    filter.after = page.back().id.value;
  }
}

// One that is being made or restored may have read its rows already: it gets its own operation,
// which comes after that.
Result<void> check_followable(const Account& account) {
  if (account.state != State::Offboarding && account.state != State::Failed) return {};
  return base::fail(Code::Conflict, "'{}' is {}", account.id.value,
                    registry::to_string(account.state));
}

bool named(const object& input, const char* list, const AccountId& account) {
  const array* names = base::json::find_array(input, list);
  return names != nullptr && std::ranges::any_of(*names, [&](const base::json::value& item) {
           return item.is_string() && item.get_string() == account.value;
         });
}

}  // namespace

operation::Child Lifecycle::Steps::apply_to(const Operation& parent, const AccountId& id, Data data,
                                            std::string mark) {
  object input;
  input["account"] = id.value;
  if (data == Data::GiveUp) input["anew"] = true;
  operation::Request request{.kind = "tenant.apply",
                             .subject = subject_of(id),
                             .input = std::move(input),
                             .actor = parent.actor,
                             .idempotency_key = {}};
  auto also = [id, data, actor = parent.actor,
               now = parts.clock.wall()](Transaction& tx) -> Result<void> {
    TRY_ASSIGN(const Account account, registry::get(tx, id));
    TRY(check_followable(account));
    if (data == Data::GiveUp)
      TRY(registry::append_audit(tx, {actor, "account.recreate", subject_of(id), {}, {}}, now));
    TRY(registry::touch(tx, id, now));
    return {};
  };
  return {std::move(request), std::move(also), std::move(mark)};
}

Lifecycle::Steps::Children Lifecycle::Steps::applies_to(Operation parent,
                                                        std::vector<AccountId> accounts) {
  std::vector<operation::Child> children;
  for (const AccountId& id : accounts)
    children.push_back(apply_to(parent, id, Data::Keep, id.value));
  co_return children;
}

Lifecycle::Steps::Children Lifecycle::Steps::accounts_of_plan(Operation operation,
                                                              std::string after,
                                                              std::uint32_t limit) {
  CO_TRY_ASSIGN(const std::string plan, base::json::get_string(operation.input, "plan"));
  std::vector<AccountId> accounts;
  CO_TRY(co_await parts.store.read([&](Transaction& tx) -> Result<void> {
    TRY_ASSIGN(accounts, registry::list_by_plan(tx, plan, after, limit));
    return {};
  }));
  co_return co_await applies_to(std::move(operation), std::move(accounts));
}

Task<Result<std::uint64_t>> Lifecycle::Steps::count_accounts_of_plan(Operation operation) {
  CO_TRY_ASSIGN(const std::string plan, base::json::get_string(operation.input, "plan"));
  std::map<std::string, std::int64_t> counts;
  CO_TRY(co_await parts.store.read([&](Transaction& tx) -> Result<void> {
    TRY_ASSIGN(counts, registry::count_by_plan(tx));
    return {};
  }));
  co_return static_cast<std::uint64_t>(counts[plan]);
}

Lifecycle::Steps::Children Lifecycle::Steps::accounts_of_secret(Operation operation,
                                                                std::string after,
                                                                std::uint32_t limit) {
  CO_TRY_ASSIGN(const std::string name, base::json::get_string(operation.input, "secret"));
  std::vector<AccountId> accounts;
  CO_TRY(co_await parts.store.read([&](Transaction& tx) -> Result<void> {
    TRY_ASSIGN(accounts, accounts_with_secret(tx, name, after, limit));
    return {};
  }));
  co_return co_await applies_to(std::move(operation), std::move(accounts));
}

// The accounts that `mend` wrote down: a mark is a place in both lists, one after the other.
Lifecycle::Steps::Children Lifecycle::Steps::accounts_to_mend(Operation operation,
                                                              std::string after,
                                                              std::uint32_t limit) {
  std::vector<operation::Child> children;
  std::uint64_t place = 0;
  const std::uint64_t begun = after.empty() ? 0 : std::strtoull(after.c_str(), nullptr, 10);
  for (const auto& [list, data] : {std::pair(kConverge, Data::Keep), {kRecreate, Data::GiveUp}}) {
    const array* accounts = base::json::find_array(operation.scratch, list);
    if (accounts == nullptr) continue;
    for (const base::json::value& account : *accounts) {
      if (++place <= begun || children.size() == limit) continue;
      if (!account.is_string()) continue;
      const AccountId id{std::string(account.get_string())};
      children.push_back(apply_to(operation, id, data, std::to_string(place)));
    }
  }
  co_return children;
}

// Destroys what was named, and writes down which accounts get an operation of their own.
Lifecycle::Steps::Step Lifecycle::Steps::mend(Operation operation) {
  CO_TRY_ASSIGN(const Drift drift, co_await whole.find_drift());
  array converge;
  array recreate;
  std::vector<AccountId> destroyed;
  for (const DriftItem& item : drift.items) {
    const bool lost = item.kind == DriftKind::Missing || item.kind == DriftKind::Damaged;
    const bool given_up = lost && named(operation.input, "recreate", item.account);
    const bool room = converge.size() + recreate.size() < kMaxRepairs;
    if (given_up && room) recreate.emplace_back(item.account.value);
    if (item.mends && !given_up && room) converge.emplace_back(item.account.value);
    if (item.kind != DriftKind::Orphan || !named(operation.input, "destroy", item.account))
      continue;
    CO_TRY_ASSIGN(cloud::Driver * driver, whole.driver_named(item.cloud));
    CO_TRY(co_await driver->destroy(item.account));
    destroyed.push_back(item.account);
  }
  Outcome outcome;
  outcome.result = object{
      {"found", drift.items.size()}, {"destroyed", destroyed.size()}, {"compared", drift.compared}};
  outcome.detail =
      fmt::format("{}; {} to update, {} destroyed", base::counted(drift.items.size(), "difference"),
                  base::counted(converge.size() + recreate.size(), "account"), destroyed.size());
  outcome.scratch[kConverge] = std::move(converge);
  outcome.scratch[kRecreate] = std::move(recreate);
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
