#include "registry/secret.h"

#include <algorithm>

#include "base/text.h"
#include "registry/account.h"
#include "registry/limits.h"

namespace granary::registry {
namespace {

using base::AccountId;
using base::Code;
using base::Result;
using base::WallTime;
using store::Row;
using store::Transaction;

constexpr std::string_view kColumns = "SELECT account, name, sealed, actor, updated FROM secret ";

Secret from_row(const Row& row) {
  return {AccountId(row.text(0)), row.text(1), row.text(2), row.text(3),
          WallTime(std::chrono::microseconds(row.integer(4)))};
}

}  // namespace

Result<std::string> parse_secret_name(std::string_view text) {
  const auto capital = [](char c) { return c >= 'A' && c <= 'Z'; };
  const auto allowed = [&](char c) { return capital(c) || (c >= '0' && c <= '9') || c == '_'; };
  if (!text.empty() && text.size() <= 64 && capital(text.front()) &&
      std::ranges::all_of(text, allowed))
    return std::string(text);
  return base::fail_with_advice(
      Code::InvalidArgument, fmt::format("{} is not a valid name of a secret", base::quote(text)),
      "Use A to Z, 0 to 9 and _, a letter first, at most 64");
}

Result<void> put_secret(Transaction& tx, const Secret& secret) {
  if (!secret.account.empty()) TRY(get(tx, secret.account));
  TRY_ASSIGN(const auto others,
             tx.exec("SELECT count(*) FROM secret WHERE account = :1 AND name <> :2",
                     {secret.account.value, secret.name}));
  if (others.front().integer(0) >= kMaxSecrets)
    return base::fail_with_advice(Code::Exhausted,
                                  fmt::format("there are {} secrets already", kMaxSecrets),
                                  "Remove one first: granary secret unset NAME");
  TRY(
      tx.exec("INSERT INTO secret (account, name, sealed, actor, updated) "
              "VALUES (:1, :2, :3, :4, :5) ON CONFLICT (account, name) DO UPDATE SET "
              "sealed = excluded.sealed, actor = excluded.actor, updated = excluded.updated",
              {secret.account.value, secret.name, secret.sealed, secret.actor,
               std::int64_t{secret.updated.time_since_epoch().count()}}));
  return {};
}

Result<void> remove_secret(Transaction& tx, const AccountId& account, const std::string& name) {
  TRY(tx.exec("DELETE FROM secret WHERE account = :1 AND name = :2", {account.value, name}));
  if (tx.changed() > 0) return {};
  return base::fail_with_advice(Code::NotFound, fmt::format("there is no secret '{}'", name),
                                "See granary secret list");
}

Result<std::vector<Secret>> list_secrets(Transaction& tx) {
  TRY_ASSIGN(const auto rows, tx.exec(std::string(kColumns) + "ORDER BY name, account"));
  std::vector<Secret> secrets;
  for (const Row& row : rows) secrets.push_back(from_row(row));
  return secrets;
}

Result<std::vector<Secret>> list_secrets(Transaction& tx, const SecretPage& page) {
  TRY_ASSIGN(
      const auto rows,
      tx.exec(std::string(kColumns) + fmt::format("WHERE name > :1 OR (name = :2 AND account > :3) "
                                                  "ORDER BY name, account LIMIT {}",
                                                  std::min(page.limit, kMaxPage)),
              {page.after.name, page.after.name, page.after.account.value}));
  std::vector<Secret> secrets;
  for (const Row& row : rows) secrets.push_back(from_row(row));
  return secrets;
}

Result<std::vector<Secret>> secrets_of(Transaction& tx, const AccountId& account) {
  // Everybody's first, so that the account's own takes its place.
  TRY_ASSIGN(const auto rows, tx.exec(std::string(kColumns) + "WHERE account IN ('', :1) " +
                                          "ORDER BY account, name",
                                      {account.value}));
  std::map<std::string, Secret> by_name;
  for (const Row& row : rows) by_name[row.text(1)] = from_row(row);
  std::vector<Secret> secrets;
  for (auto& [name, secret] : by_name) secrets.push_back(std::move(secret));
  return secrets;
}

}  // namespace granary::registry
