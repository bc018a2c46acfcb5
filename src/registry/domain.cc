#include "registry/domain.h"

#include <algorithm>

#include "base/text.h"
#include "registry/account.h"
#include "registry/account_rows.h"
#include "registry/limits.h"

namespace granary::registry {
namespace {

using base::AccountId;
using base::Code;
using base::Result;
using base::WallTime;
using store::Row;
using store::Transaction;

constexpr std::string_view kColumns = "SELECT account, domain, token, created FROM domain_claim ";

DomainClaim from_row(const Row& row) {
  return {AccountId(row.text(0)), row.text(1), row.text(2),
          WallTime(std::chrono::microseconds(row.integer(3)))};
}

std::string lower(std::string_view text) {
  std::string lowered(text);
  for (char& c : lowered) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lowered;
}

}  // namespace

std::string_view to_string(Proof proof) {
  switch (proof) {
    case Proof::Operator:
      return "operator";
    case Proof::Dns:
      return "dns";
    case Proof::Http:
      return "http";
  }
  return "operator";
}

Result<DomainClaim> claim_domain(Transaction& tx, DomainClaim claim) {
  TRY(get(tx, claim.account));
  TRY_ASSIGN(const auto owner, find_by_domain(tx, claim.domain));
  if (owner) return rows::domain_taken(claim.domain);
  const auto earlier = get_claim(tx, claim.account, claim.domain);
  if (earlier) return earlier;
  TRY_ASSIGN(const auto claims, list_claims(tx, claim.account));
  if (claims.size() >= kMaxDomains)
    return base::fail(Code::Exhausted, "'{}' has {} unproved domains already", claim.account.value,
                      kMaxDomains);
  TRY(tx.exec("INSERT INTO domain_claim (account, domain, token, created) VALUES (:1, :2, :3, :4)",
              {claim.account.value, claim.domain, claim.token,
               std::int64_t{claim.created.time_since_epoch().count()}}));
  return claim;
}

Result<DomainClaim> get_claim(Transaction& tx, const AccountId& account,
                              const std::string& domain) {
  TRY_ASSIGN(const auto rows, tx.exec(std::string(kColumns) + "WHERE account = :1 AND domain = :2",
                                      {account.value, domain}));
  if (!rows.empty()) return from_row(rows.front());
  return base::fail_with_advice(
      Code::NotFound, fmt::format("'{}' has not claimed the domain {}", account.value, domain),
      fmt::format("Claim it first: granary domain claim {} {}", account.value, domain));
}

Result<std::vector<DomainClaim>> list_claims(Transaction& tx, const AccountId& account) {
  TRY_ASSIGN(const auto rows, tx.exec(std::string(kColumns) + "WHERE account = :1 ORDER BY domain",
                                      {account.value}));
  std::vector<DomainClaim> claims;
  for (const Row& row : rows) claims.push_back(from_row(row));
  return claims;
}

Result<void> drop_claim(Transaction& tx, const AccountId& account, const std::string& domain) {
  TRY(tx.exec("DELETE FROM domain_claim WHERE account = :1 AND domain = :2",
              {account.value, domain}));
  return {};
}

Result<void> prove_domain(Transaction& tx, const AccountId& account, const std::string& domain,
                          Proof proof, WallTime now) {
  TRY(get_claim(tx, account, domain));
  TRY_ASSIGN(Account changed, get(tx, account));
  if (changed.domains.size() >= kMaxDomains)
    return base::fail(Code::Exhausted, "'{}' has {} domains already", account.value, kMaxDomains);
  TRY(rows::add_domain(tx, account, domain));
  TRY(tx.exec("UPDATE account_domain SET proof = :2 WHERE domain = :1",
              {domain, std::string(to_string(proof))}));
  TRY(tx.exec("DELETE FROM domain_claim WHERE domain = :1", {domain}));
  changed.updated = now;
  ++changed.version;
  return rows::update(tx, changed);
}

Result<std::string> parse_discovery_key(std::string_view text) {
  constexpr std::string_view kEmail = "email:";
  constexpr std::string_view kDomain = "email-domain:";
  const auto refuse = [text] {
    return base::fail_with_advice(
        Code::InvalidArgument, fmt::format("{} is not a way to find a tenant", base::quote(text)),
        "Give email:NAME@DOMAIN or email-domain:DOMAIN");
  };
  if (text.starts_with(kDomain)) {
    TRY_ASSIGN(const std::string domain, parse_domain(text.substr(kDomain.size())));
    return std::string(kDomain) + domain;
  }
  if (!text.starts_with(kEmail)) return refuse();
  const std::string_view address = text.substr(kEmail.size());
  const std::size_t at = address.rfind('@');
  if (at == std::string_view::npos || at == 0 || at > 64) return refuse();
  const std::string_view local = address.substr(0, at);
  const auto plain = [](char c) { return c > ' ' && c < 127 && c != '@' && c != '"' && c != '\\'; };
  if (!std::ranges::all_of(local, plain)) return refuse();
  TRY_ASSIGN(const std::string domain, parse_domain(address.substr(at + 1)));
  return std::string(kEmail) + lower(local) + "@" + domain;
}

}  // namespace granary::registry
