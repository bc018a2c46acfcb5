#include "registry/account_rows.h"

#include "base/json.h"

namespace granary::registry::rows {
namespace {

using base::AccountId;
using base::Code;
using base::Result;
using base::WallTime;
using store::Row;
using store::Transaction;
using store::Value;

constexpr std::size_t kMaxSettingsBytes = 256U << 10;

std::int64_t micros(WallTime time) { return time.time_since_epoch().count(); }
Value maybe(const std::string& text) {
  return text.empty() ? Value(std::monostate()) : Value(text);
}

Value maybe(const std::optional<WallTime>& time) {
  return time ? Value(micros(*time)) : Value(std::monostate());
}

std::string print(const std::map<std::string, std::string>& settings) {
  base::json::object document;
  for (const auto& [name, value] : settings) document[name] = value;
  return base::json::print(document);
}

Result<void> read_columns(const Row& row, Account& account) {
  TRY_ASSIGN(account.kind, kind_from(row.text(1)));
  account.ordinal = static_cast<std::uint32_t>(row.integer(2));
  account.name = row.text(3);
  account.plan = row.text(4);
  account.cloud = row.text(5);
  TRY_ASSIGN(account.state, state_from(row.text(6)));
  account.desired_release = row.maybe_text(7).value_or("");
  account.actual_release = row.maybe_text(8).value_or("");
  account.version = static_cast<std::uint64_t>(row.integer(9));
  account.isolation = row.text(10);
  TRY_ASSIGN(account.health, health_from(row.text(11)));
  account.health_detail = row.text(12);
  TRY_ASSIGN(const auto settings, base::json::parse_object(row.text(13), kMaxSettingsBytes));
  for (const auto& member : settings)
    account.settings[member.key()] = std::string(member.value().as_string());
  account.created = WallTime(std::chrono::microseconds(row.integer(14)));
  account.updated = WallTime(std::chrono::microseconds(row.integer(15)));
  account.pinned = row.integer(16) != 0;
  if (const auto until = row.maybe_integer(17))
    account.pinned_until = WallTime(std::chrono::microseconds(*until));
  return {};
}

// A row that cannot be read is one account's fault, so it does not keep the others from being
// listed: it stands among them as failed, with the reason.
Account from_row(const Row& row) {
  Account account;
  account.id = AccountId(row.text(0));
  std::string reason;
  try {
    const auto read = read_columns(row, account);
    if (read) return account;
    reason = read.error().message;
  } catch (const std::exception& error) {  // a DamagedRow, or what Boost.JSON throws
    reason = error.what();
  }
  account.damage = "its row in the database cannot be read: " + reason;
  account.state = State::Failed;
  account.health = Health::Failing;
  account.health_detail = account.damage;
  return account;
}

// One query for all accounts of a page, not one each.
Result<void> fill(Transaction& tx, std::vector<Account>& accounts) {
  if (accounts.empty()) return {};
  std::map<std::string, Account*> by_id;
  for (Account& account : accounts) by_id[account.id.value] = &account;
  const std::string range = " WHERE account >= :1 AND account <= :2 ORDER BY account, ";
  const std::vector<Value> ends = {by_id.begin()->first, by_id.rbegin()->first};
  TRY_ASSIGN(const auto labels,
             tx.exec("SELECT account, name, value FROM account_label" + range + "name", ends));
  for (const Row& row : labels) {
    const auto found = by_id.find(row.text(0));
    if (found != by_id.end()) found->second->labels[row.text(1)] = row.text(2);
  }
  TRY_ASSIGN(const auto domains,
             tx.exec("SELECT account, domain FROM account_domain" + range + "domain", ends));
  for (const Row& row : domains) {
    const auto found = by_id.find(row.text(0));
    if (found != by_id.end()) found->second->domains.push_back(row.text(1));
  }
  TRY_ASSIGN(const auto keys,
             tx.exec("SELECT account, name FROM discovery_key" + range + "name", ends));
  for (const Row& row : keys) {
    const auto found = by_id.find(row.text(0));
    if (found != by_id.end()) found->second->discovery.push_back(row.text(1));
  }
  return {};
}

}  // namespace

Result<void> insert(Transaction& tx, const Account& account) {
  TRY(
      tx.exec("INSERT INTO account (id, kind, ordinal, name, plan, cloud, state, desired_release, "
              "actual_release, version, isolation, health, health_detail, settings, created, "
              "updated, pinned, pinned_until) VALUES "
              "(:1, :2, :3, :4, :5, :6, :7, :8, :9, :10, :11, :12, :13, :14, :15, :16, :17, :18)",
              {account.id.value, std::string(to_string(account.kind)),
               std::int64_t{account.ordinal}, account.name, account.plan, account.cloud,
               std::string(to_string(account.state)), maybe(account.desired_release),
               maybe(account.actual_release), static_cast<std::int64_t>(account.version),
               account.isolation, std::string(to_string(account.health)), account.health_detail,
               print(account.settings), micros(account.created), micros(account.updated),
               std::int64_t{account.pinned ? 1 : 0}, maybe(account.pinned_until)}));
  return {};
}

Result<void> update(Transaction& tx, const Account& account) {
  TRY(
      tx.exec("UPDATE account SET name = :2, plan = :3, state = :4, desired_release = :5, "
              "actual_release = :6, version = :7, isolation = :8, health = :9, "
              "health_detail = :10, settings = :11, updated = :12, pinned = :13, "
              "pinned_until = :14 WHERE id = :1",
              {account.id.value, account.name, account.plan, std::string(to_string(account.state)),
               maybe(account.desired_release), maybe(account.actual_release),
               static_cast<std::int64_t>(account.version), account.isolation,
               std::string(to_string(account.health)), account.health_detail,
               print(account.settings), micros(account.updated),
               std::int64_t{account.pinned ? 1 : 0}, maybe(account.pinned_until)}));
  return {};
}

Result<std::vector<Account>> select(Transaction& tx, const std::string& where,
                                    std::vector<Value> parameters) {
  TRY_ASSIGN(const auto found,
             tx.exec("SELECT id, kind, ordinal, name, plan, cloud, state, desired_release, "
                     "actual_release, version, isolation, health, health_detail, settings, "
                     "created, updated, pinned, pinned_until FROM account " +
                         where,
                     std::move(parameters)));
  std::vector<Account> accounts;
  accounts.reserve(found.size());
  for (const Row& row : found) accounts.push_back(from_row(row));
  TRY(fill(tx, accounts));
  return accounts;
}

Result<void> put_label(Transaction& tx, const AccountId& id, const std::string& name,
                       const std::string& value) {
  TRY(drop_label(tx, id, name));
  TRY(tx.exec("INSERT INTO account_label (account, name, value) VALUES (:1, :2, :3)",
              {id.value, name, value}));
  return {};
}

Result<void> drop_label(Transaction& tx, const AccountId& id, const std::string& name) {
  TRY(tx.exec("DELETE FROM account_label WHERE account = :1 AND name = :2", {id.value, name}));
  return {};
}

base::Failure domain_taken(const std::string& domain) {
  return base::fail_with_advice(
      Code::AlreadyExists, fmt::format("the domain {} is taken by a tenant already", domain),
      fmt::format("See which under domains in granary tenant list -o json, and take it away there: "
                  "granary tenant update OTHER --remove-domain {}; or choose another domain",
                  domain));
}

Result<void> add_domain(Transaction& tx, const AccountId& id, const std::string& domain) {
  TRY_ASSIGN(const auto owner, find_by_domain(tx, domain));
  if (owner) return domain_taken(domain);
  TRY(tx.exec("INSERT INTO account_domain (domain, account) VALUES (:1, :2)", {domain, id.value}));
  return {};
}

Result<void> drop_domain(Transaction& tx, const AccountId& id, const std::string& domain) {
  TRY(tx.exec("DELETE FROM account_domain WHERE account = :1 AND domain = :2", {id.value, domain}));
  return {};
}

Result<void> add_discovery(Transaction& tx, const AccountId& id, const std::string& key) {
  TRY_ASSIGN(const auto owner, tx.exec("SELECT account FROM discovery_key WHERE name = :1", {key}));
  if (!owner.empty() && owner.front().text(0) == id.value) return {};
  if (!owner.empty())
    return base::fail_with_advice(
        Code::AlreadyExists, fmt::format("another tenant is found by {} already", key),
        "See which under discovery in granary tenant list -o json, and take it away there: granary "
        "tenant update OTHER --remove-email or --remove-email-domain");
  TRY(tx.exec("INSERT INTO discovery_key (name, account) VALUES (:1, :2)", {key, id.value}));
  return {};
}

Result<void> drop_discovery(Transaction& tx, const AccountId& id, const std::string& key) {
  TRY(tx.exec("DELETE FROM discovery_key WHERE account = :1 AND name = :2", {id.value, key}));
  return {};
}

}  // namespace granary::registry::rows
