#include "lifecycle/drift.h"

#include <algorithm>

#include "lifecycle/lifecycle.h"
#include "lifecycle/subjects.h"

// Comparing rows with accounts. Both are read page by page while they change, so what seems to
// differ is looked at once more before it is told.
namespace granary::lifecycle {

using base::AccountId;
using base::Code;
using base::Result;
using base::Task;
using registry::Account;
using registry::State;
using store::Transaction;

namespace {

constexpr std::uint32_t kPage = 500;

std::string restore_or_recreate(const AccountId& id) {
  return fmt::format(
      "Restore it: granary tenant restore {0} --archive ID --replace; or make it anew with an "
      "empty disk: granary drift --repair --recreate {0}",
      id.value);
}

// What is wrong with an account that is there, given its row.
std::optional<DriftItem> compare(const Account& row, const cloud::Actual& actual) {
  DriftItem item{.account = row.id, .cloud = row.cloud};
  if (!actual.problem.empty()) {
    item.kind = DriftKind::Damaged;
    item.detail = actual.problem;
    item.mends = actual.version == 0;  // its state is lost, which the row has, too
    item.advice =
        item.mends ? "Bring it up to date: granary drift --repair" : restore_or_recreate(row.id);
    return item;
  }
  if (actual.version == row.version) return std::nullopt;
  item.mends = true;
  item.detail =
      fmt::format("the account is at version {}, its row at {}", actual.version, row.version);
  item.advice = "Bring it up to date: granary drift --repair";
  return item;
}

DriftItem missing(const Account& row) {
  return {.account = row.id,
          .cloud = row.cloud,
          .kind = DriftKind::Missing,
          .detail = "its cloud has no account of it: its data is not there",
          .advice = restore_or_recreate(row.id)};
}

DriftItem orphan(const AccountId& account, const std::string& cloud) {
  return {.account = account,
          .cloud = cloud,
          .kind = DriftKind::Orphan,
          .detail = "no tenant has this account",
          .advice = fmt::format("Destroy it with all its data: granary drift --repair --destroy {}",
                                account.value)};
}

bool is_due(const Account& row) { return row.state != State::Failed; }

}  // namespace

std::string_view to_string(DriftKind kind) {
  switch (kind) {
    case DriftKind::Outdated:
      return "outdated";
    case DriftKind::Missing:
      return "missing";
    case DriftKind::Orphan:
      return "orphan";
    case DriftKind::Damaged:
      return "damaged";
  }
  return "outdated";
}

Result<cloud::Driver*> Lifecycle::driver_named(const std::string& cloud) const {
  const auto found = parts_.clouds.find(cloud);
  if (found != parts_.clouds.end()) return found->second;
  return base::fail(Code::NotSupported, "cloud '{}' is not set up here", cloud);
}

Task<Result<bool>> Lifecycle::is_busy(AccountId id) {
  CO_TRY_ASSIGN(const auto newest,
                co_await parts_.engine.list({.subject = subject_of(id), .limit = 1}));
  co_return !newest.empty() && !operation::is_final(newest.front().state);
}

Task<Result<std::map<AccountId, cloud::Actual>>> Lifecycle::accounts_in(std::string cloud) {
  CO_TRY_ASSIGN(cloud::Driver * driver, driver_named(cloud));
  std::map<AccountId, cloud::Actual> accounts;
  std::string after;
  do {
    CO_TRY_ASSIGN(cloud::Page page, co_await driver->list(after, kPage));
    for (cloud::Actual& actual : page.accounts) accounts[actual.account] = std::move(actual);
    after = page.next;
  } while (!after.empty());
  co_return accounts;
}

Task<Result<std::map<AccountId, Account>>> Lifecycle::rows_in(std::string cloud) {
  std::map<AccountId, Account> rows;
  registry::Filter filter{.after = {}, .limit = kPage, .state = {}, .kind = {}};
  for (bool more = true; more;) {
    CO_TRY(co_await parts_.store.read([&](Transaction& tx) -> Result<void> {
      TRY_ASSIGN(const auto page, registry::list(tx, filter));
      for (const Account& row : page) {
        if (row.cloud == cloud) rows[row.id] = row;
      }
      more = page.size() == kPage;
      if (more) filter.after = page.back().id.value;
      return {};
    }));
  }
  co_return rows;
}

// Looks at the one account again: nothing of it is under way, and it still differs.
Task<Result<std::optional<DriftItem>>> Lifecycle::judge(AccountId id, std::string cloud,
                                                        Drift* drift) {
  CO_TRY_ASSIGN(const bool busy, co_await is_busy(id));
  if (busy) {
    ++drift->under_way;
    co_return std::nullopt;
  }
  CO_TRY_ASSIGN(cloud::Driver * driver, driver_named(cloud));
  const auto row = co_await get(id);
  if (!row && row.error().code != Code::NotFound) co_return std::unexpected(row.error());
  const auto actual = co_await driver->describe(id);
  if (!actual && actual.error().code != Code::NotFound) co_return std::unexpected(actual.error());
  if (!row && !actual) co_return std::nullopt;
  if (!row) co_return orphan(id, cloud);
  if (!actual && !is_due(*row)) co_return std::nullopt;
  if (!actual) co_return missing(*row);
  co_return compare(*row, *actual);
}

Task<Result<Drift>> Lifecycle::find_drift() {
  Drift drift;
  for (const auto& [cloud, driver] : parts_.clouds) {
    CO_TRY_ASSIGN(const auto accounts, co_await accounts_in(cloud));
    CO_TRY_ASSIGN(const auto rows, co_await rows_in(cloud));
    std::set<AccountId> suspects;
    for (const auto& [id, actual] : accounts) {
      const auto row = rows.find(id);
      if (row == rows.end() || compare(row->second, actual)) suspects.insert(id);
    }
    for (const auto& [id, row] : rows) {
      if (!accounts.contains(id) && is_due(row)) suspects.insert(id);
    }
    drift.compared += std::max(accounts.size(), rows.size());
    for (const AccountId& id : suspects) {
      CO_TRY_ASSIGN(auto item, co_await judge(id, cloud, &drift));
      if (item) drift.items.push_back(std::move(*item));
    }
  }
  std::ranges::sort(drift.items, {}, &DriftItem::account);
  co_return drift;
}

Task<Result<operation::Operation>> Lifecycle::repair(Repair request, Caller caller) {
  base::json::object input;
  const auto names = [](const std::vector<AccountId>& ids) {
    base::json::array list;
    for (const AccountId& id : ids) list.emplace_back(id.value);
    return list;
  };
  input["recreate"] = names(request.recreate);
  input["destroy"] = names(request.destroy);
  co_return co_await start("fleet.repair", "fleet", std::move(input), {}, std::move(caller));
}

}  // namespace granary::lifecycle
