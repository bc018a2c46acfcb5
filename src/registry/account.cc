#include "registry/account.h"

#include <algorithm>
#include <set>

#include "base/check.h"
#include "base/json.h"
#include "registry/account_rows.h"
#include "registry/limits.h"

namespace granary::registry {

using base::AccountId;
using base::Code;
using base::Result;
using base::WallTime;
using store::Transaction;

namespace {

Result<void> check_counts(const Account& account) {
  if (account.domains.size() <= kMaxDomains && account.labels.size() <= kMaxLabels &&
      account.settings.size() <= kMaxSettings && account.discovery.size() <= kMaxDiscoveryKeys)
    return {};
  return base::fail(Code::InvalidArgument,
                    "at most {} domains, {} labels, {} settings and {} e-mail domains or addresses "
                    "are allowed",
                    kMaxDomains, kMaxLabels, kMaxSettings, kMaxDiscoveryKeys);
}

base::Failure name_taken(const Account& present) {
  const std::string& id = present.id.value;
  if (present.state == State::Failed)
    return base::fail_with_advice(Code::AlreadyExists,
                                  fmt::format("there is a tenant '{}' already: it has failed", id),
                                  way_on(present.id, present.state));
  return base::fail_with_advice(
      Code::AlreadyExists, fmt::format("there is a tenant '{}' already", id),
      fmt::format("See granary tenant show {}, or choose another name", id));
}

}  // namespace

Result<void> check_name_free(Transaction& tx, const AccountId& id) {
  TRY_ASSIGN(const auto taken, rows::select(tx, "WHERE id = :1", {id.value}));
  if (!taken.empty()) return name_taken(taken.front());
  return {};
}

Result<Account> insert(Transaction& tx, Account account) {
  TRY(check_counts(account));
  TRY(check_name_free(tx, account.id));
  TRY_ASSIGN(const auto counted,
             tx.exec("UPDATE ordinal_counter SET next = next + 1 RETURNING next - 1"));
  account.ordinal = static_cast<std::uint32_t>(counted.front().integer(0));
  TRY(rows::insert(tx, account));
  for (const auto& [name, value] : account.labels)
    TRY(rows::put_label(tx, account.id, name, value));
  for (const std::string& domain : account.domains) TRY(rows::add_domain(tx, account.id, domain));
  for (const std::string& key : account.discovery) TRY(rows::add_discovery(tx, account.id, key));
  return account;
}

Result<std::uint32_t> last_ordinal(Transaction& tx) {
  TRY_ASSIGN(const auto counted, tx.exec("SELECT next - 1 FROM ordinal_counter"));
  return static_cast<std::uint32_t>(counted.front().integer(0));
}

Result<Account> get(Transaction& tx, const AccountId& id) {
  TRY_ASSIGN(auto found, rows::select(tx, "WHERE id = :1", {id.value}));
  if (!found.empty() && found.front().damage.empty()) return std::move(found.front());
  if (!found.empty())
    return base::fail_with_advice(
        Code::DataLoss, fmt::format("tenant '{}': {}", id.value, found.front().damage),
        "Restore the database from a backup, or the tenant from an archive");
  return base::fail_with_advice(Code::NotFound, fmt::format("there is no tenant '{}'", id.value),
                                "See granary tenant list");
}

Result<std::vector<Account>> list(Transaction& tx, const Filter& filter) {
  std::string where = "WHERE id > :1";
  std::vector<store::Value> parameters = {filter.after};
  if (filter.state) {
    parameters.emplace_back(std::string(to_string(*filter.state)));
    where += fmt::format(" AND state = :{}", parameters.size());
  }
  if (filter.kind) {
    parameters.emplace_back(std::string(to_string(*filter.kind)));
    where += fmt::format(" AND kind = :{}", parameters.size());
  }
  where += fmt::format(" ORDER BY id LIMIT {}", std::min(filter.limit, kMaxPage));
  return rows::select(tx, where, std::move(parameters));
}

Result<std::map<State, std::int64_t>> count_by_state(Transaction& tx) {
  TRY_ASSIGN(const auto found, tx.exec("SELECT state, count(*) FROM account GROUP BY state"));
  std::map<State, std::int64_t> counts;
  for (const auto& row : found) {
    TRY_ASSIGN(const State state, state_from(row.text(0)));
    counts[state] = row.integer(1);
  }
  return counts;
}

Result<Account> set_state(Transaction& tx, const AccountId& id, State to, WallTime now) {
  TRY_ASSIGN(Account account, get(tx, id));
  if (account.state == to) return account;
  if (!may_become(account.state, to))
    return base::fail_with_advice(Code::Conflict,
                                  fmt::format("'{}' is {} and cannot become {}", id.value,
                                              to_string(account.state), to_string(to)),
                                  way_on(id, account.state));
  if (refuses_traffic(account.state) != refuses_traffic(to)) ++account.version;
  account.state = to;
  account.updated = now;
  TRY(rows::update(tx, account));
  return account;
}

Result<Account> set_desired_release(Transaction& tx, const AccountId& id, const std::string& hash,
                                    WallTime now) {
  TRY_ASSIGN(Account account, get(tx, id));
  account.desired_release = hash;
  account.updated = now;
  ++account.version;
  TRY(rows::update(tx, account));
  return account;
}

namespace {

template <class Map>
void merge(Map& into, const std::map<std::string, std::optional<std::string>>& changes) {
  for (const auto& [name, value] : changes) {
    if (value) {
      into[name] = *value;
    } else {
      into.erase(name);
    }
  }
}

}  // namespace

Result<Account> change_details(Transaction& tx, const AccountId& id, const Details& details,
                               WallTime now) {
  TRY_ASSIGN(Account account, get(tx, id));
  if (details.name) account.name = *details.name;
  if (details.plan) account.plan = *details.plan;
  merge(account.settings, details.settings);
  merge(account.labels, details.labels);
  for (const auto& [name, value] : details.labels) {
    if (value) {
      TRY(rows::put_label(tx, id, name, *value));
    } else {
      TRY(rows::drop_label(tx, id, name));
    }
  }
  for (const std::string& domain : details.remove_domains) TRY(rows::drop_domain(tx, id, domain));
  for (const std::string& domain : details.add_domains) {
    if (std::ranges::find(account.domains, domain) == account.domains.end())
      TRY(rows::add_domain(tx, id, domain));
  }
  for (const std::string& key : details.remove_discovery) TRY(rows::drop_discovery(tx, id, key));
  for (const std::string& key : details.add_discovery) TRY(rows::add_discovery(tx, id, key));
  account.updated = now;
  ++account.version;
  TRY(rows::update(tx, account));
  TRY_ASSIGN(account, get(tx, id));
  TRY(check_counts(account));
  return account;
}

Result<Account> set_pin(Transaction& tx, const AccountId& id, const Pin& pin, WallTime now) {
  TRY_ASSIGN(Account account, get(tx, id));
  account.pinned = pin.pinned;
  account.pinned_until = pin.until;
  account.updated = now;
  TRY(rows::update(tx, account));
  return account;
}

bool is_pinned(const Account& account, WallTime now) {
  return account.pinned && (!account.pinned_until || *account.pinned_until > now);
}

Result<Account> touch(Transaction& tx, const AccountId& id, WallTime now) {
  TRY_ASSIGN(Account account, get(tx, id));
  account.updated = now;
  ++account.version;
  TRY(rows::update(tx, account));
  return account;
}

Result<void> record_actual(Transaction& tx, const AccountId& id, const std::string& release_hash,
                           const std::string& isolation, WallTime now) {
  TRY_ASSIGN(Account account, get(tx, id));
  account.actual_release = release_hash;
  account.isolation = isolation;
  account.updated = now;
  return rows::update(tx, account);
}

Result<void> record_health(Transaction& tx, const AccountId& id, Health health,
                           const std::string& detail, WallTime now) {
  TRY_ASSIGN(Account account, get(tx, id));
  account.health = health;
  account.health_detail = detail;
  account.updated = now;
  return rows::update(tx, account);
}

Result<void> remove(Transaction& tx, const AccountId& id) {
  TRY(tx.exec("DELETE FROM secret WHERE account = :1", {id.value}));
  TRY(tx.exec("DELETE FROM account WHERE id = :1", {id.value}));
  return {};
}

Result<std::map<std::string, std::uint32_t>> slots_of(Transaction& tx, const AccountId& id) {
  TRY_ASSIGN(const auto found,
             tx.exec("SELECT service, slot FROM board_slot WHERE account = :1", {id.value}));
  std::map<std::string, std::uint32_t> slots;
  for (const auto& row : found) slots[row.text(0)] = static_cast<std::uint32_t>(row.integer(1));
  return slots;
}

Result<std::map<std::string, std::uint32_t>> assign_slots(
    Transaction& tx, const AccountId& id, const std::vector<std::string>& services) {
  TRY_ASSIGN(const auto present, slots_of(tx, id));
  for (const auto& [service, slot] : present) {
    if (std::ranges::find(services, service) == services.end())
      TRY(tx.exec("DELETE FROM board_slot WHERE slot = :1", {std::int64_t{slot}}));
  }
  for (const std::string& service : services) {
    if (present.contains(service)) continue;
    // The lowest free one above all in use, else the lowest gap: gaps are rare and short-lived.
    TRY_ASSIGN(const auto top, tx.exec("SELECT coalesce(max(slot), 0) + 1 FROM board_slot"));
    std::int64_t slot = top.front().integer(0);
    if (slot >= kBoardSlots) {
      TRY_ASSIGN(const auto gap, tx.exec("SELECT min(slot) + 1 FROM board_slot b WHERE NOT EXISTS "
                                         "(SELECT 1 FROM board_slot n WHERE n.slot = b.slot + 1)"));
      slot = gap.front().integer(0);
    }
    if (slot >= kBoardSlots)
      return base::fail(Code::Exhausted, "all {} places of the activity board are taken",
                        kBoardSlots);
    TRY(tx.exec("INSERT INTO board_slot (slot, account, service) VALUES (:1, :2, :3)",
                {slot, id.value, service}));
  }
  return slots_of(tx, id);
}

Result<SlotTable> all_slots(Transaction& tx) {
  TRY_ASSIGN(const auto found, tx.exec("SELECT account, service, slot FROM board_slot"));
  SlotTable table;
  for (const auto& row : found)
    table[row.text(0)][row.text(1)] = static_cast<std::uint32_t>(row.integer(2));
  return table;
}

Result<std::optional<AccountId>> find_by_domain(Transaction& tx, const std::string& domain) {
  TRY_ASSIGN(const auto found,
             tx.exec("SELECT account FROM account_domain WHERE domain = :1", {domain}));
  if (found.empty()) return std::nullopt;
  return AccountId(found.front().text(0));
}

Result<std::optional<AccountId>> find_by_discovery(Transaction& tx, const std::string& key) {
  TRY_ASSIGN(const auto found, tx.exec("SELECT account FROM discovery_key WHERE name = :1", {key}));
  if (found.empty()) return std::nullopt;
  return AccountId(found.front().text(0));
}

Result<std::vector<AccountId>> list_by_plan(Transaction& tx, const std::string& plan,
                                            const std::string& after, std::uint32_t limit) {
  TRY_ASSIGN(const auto found,
             tx.exec(fmt::format("SELECT id FROM account WHERE plan = :1 AND id > :2 ORDER BY id "
                                 "LIMIT {}",
                                 std::min(limit, kMaxPage)),
                     {plan, after}));
  std::vector<AccountId> ids;
  for (const auto& row : found) ids.emplace_back(row.text(0));
  return ids;
}

namespace {

base::json::object from_map(const std::map<std::string, std::string>& texts) {
  base::json::object document;
  for (const auto& [name, text] : texts) document[name] = text;
  return document;
}

}  // namespace

base::json::object audit_document(const Account& account) {
  base::json::object document;
  document["name"] = account.name;
  document["kind"] = to_string(account.kind);
  document["plan"] = account.plan;
  document["cloud"] = account.cloud;
  document["state"] = to_string(account.state);
  document["release"] = account.desired_release;
  document["labels"] = from_map(account.labels);
  document["settings"] = from_map(account.settings);
  document["domains"] = base::json::from_strings(account.domains);
  document["discovery"] = base::json::from_strings(account.discovery);
  document["pinned"] = account.pinned;
  if (account.pinned_until) document["pinned_until"] = base::to_rfc3339(*account.pinned_until);
  return document;
}

}  // namespace granary::registry
