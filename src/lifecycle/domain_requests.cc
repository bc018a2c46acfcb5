#include <algorithm>

#include "lifecycle/lifecycle.h"
#include "lifecycle/subjects.h"

// Domains that tenants say are theirs, until the token of the claim is found in the domain's DNS or
// on its web server.
namespace granary::lifecycle {

using base::AccountId;
using base::Code;
using base::Result;
using base::Task;
using operation::Operation;
using registry::Account;
using registry::DomainClaim;
using registry::Proof;
using store::Transaction;

namespace {

std::string trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return "";
  return std::string(text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1));
}

std::string make_token(base::Rng& rng) {
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz0123456789";
  std::string token = "granary-";
  for (int i = 0; i < 32; ++i) token += kLetters[rng.below(kLetters.size())];
  return token;
}

// What was looked at and what was there instead, for people.
struct Search {
  std::optional<Proof> proof;
  std::string in_dns;
  std::string over_http;
};

base::Failure not_found(const DomainClaim& claim, const Search& search) {
  return base::fail_with_advice(
      Code::Conflict,
      fmt::format("the token of {} was not found: {}; {}", claim.domain, search.in_dns,
                  search.over_http),
      fmt::format("Set a TXT record {}.{} to {}, or let http://{}{} answer with it; then verify "
                  "again (DNS may take some minutes)",
                  kTxtLabel, claim.domain, claim.token, claim.domain, kHttpPath));
}

Task<Search> search_token(DomainChecker& checker, DomainClaim claim) {
  Search search;
  const std::string name = fmt::format("{}.{}", kTxtLabel, claim.domain);
  const auto records = co_await checker.txt(name);
  if (records && std::ranges::any_of(*records, [&](const std::string& text) {
        return trimmed(text) == claim.token;
      })) {
    search.proof = Proof::Dns;
    co_return search;
  }
  search.in_dns = records ? fmt::format("{} has {} other TXT records", name, records->size())
                          : fmt::format("{}: {}", name, records.error().message);
  const auto answer = co_await checker.get(claim.domain, kHttpPath);
  if (answer && trimmed(*answer) == claim.token) search.proof = Proof::Http;
  search.over_http = answer
                         ? fmt::format("http://{}{} says something else", claim.domain, kHttpPath)
                         : answer.error().message;
  co_return search;
}

}  // namespace

Task<Result<DomainClaim>> Lifecycle::claim_domain(AccountId id, std::string domain, Caller caller) {
  CO_TRY_ASSIGN(domain, registry::parse_domain(domain));
  const base::WallTime now = parts_.clock.wall();
  DomainClaim claim{id, domain, make_token(parts_.rng), now};
  base::json::object asked;
  asked["domain"] = domain;
  const AuditHead head{.actor = caller.actor, .action = "domain.claim", .asked = std::move(asked)};
  CO_TRY(co_await parts_.store.write([&](Transaction& tx) {
    return with_audit(tx, id, head, now, [&](Transaction& inside) -> Result<void> {
      TRY_ASSIGN(const Account account, registry::get(inside, id));
      TRY(check_free(account));
      TRY_ASSIGN(claim, registry::claim_domain(inside, claim));
      return {};
    });
  }));
  co_return claim;
}

Task<Result<void>> Lifecycle::drop_claim(AccountId id, std::string domain, Caller caller) {
  CO_TRY_ASSIGN(domain, registry::parse_domain(domain));
  base::json::object asked;
  asked["domain"] = domain;
  const AuditHead head{
      .actor = caller.actor, .action = "domain.drop-claim", .asked = std::move(asked)};
  co_return co_await parts_.store.write([&, now = parts_.clock.wall()](Transaction& tx) {
    return with_audit(tx, id, head, now, [&](Transaction& inside) -> Result<void> {
      TRY(registry::get_claim(inside, id, domain));
      return registry::drop_claim(inside, id, domain);
    });
  });
}

Task<Result<Operation>> Lifecycle::verify_domain(AccountId id, std::string domain, Caller caller) {
  CO_TRY_ASSIGN(domain, registry::parse_domain(domain));
  CO_TRY_ASSIGN(const auto earlier, co_await asked_before(caller));
  if (earlier) co_return same_request(*earlier, "tenant.apply", id);
  DomainClaim claim;
  CO_TRY(co_await parts_.store.read([&](Transaction& tx) -> Result<void> {
    TRY_ASSIGN(claim, registry::get_claim(tx, id, domain));
    return {};
  }));
  const Search search = co_await search_token(parts_.domains, claim);
  if (!search.proof) co_return not_found(claim, search);
  auto record = [id, claim, proof = *search.proof,
                 now = parts_.clock.wall()](Transaction& tx) -> Result<void> {
    TRY_ASSIGN(const Account account, registry::get(tx, id));
    TRY(check_free(account));
    // The token that was found must still be the claim's: it may have been dropped and made anew.
    TRY_ASSIGN(const DomainClaim still, registry::get_claim(tx, id, claim.domain));
    if (still.token != claim.token)
      return base::fail(Code::Conflict, "the claim has just been made anew");
    return registry::prove_domain(tx, id, claim.domain, proof, now);
  };
  base::json::object input;
  input["domain"] = domain;
  input["proof"] = registry::to_string(*search.proof);
  co_return co_await change("tenant.apply", id, std::move(input), std::move(record),
                            std::move(caller));
}

}  // namespace granary::lifecycle
