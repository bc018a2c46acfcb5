// Which domains are whose. A domain of an account is routed to it; a claim is what a tenant says of
// a domain until it has proved it, by a token in the domain's DNS or on its web server. Each
// function runs inside a transaction of the caller's.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"
#include "store/store.h"

namespace granary::registry {

enum class Proof { Operator, Dns, Http };  // an operator vouches for it; the token was found
std::string_view to_string(Proof proof);

struct DomainClaim {
  base::AccountId account;
  std::string domain;
  std::string token;  // "granary-" and 32 letters; not secret
  base::WallTime created;
};

// The claim again gives the token that it has. Errors: NotFound (no such account), AlreadyExists
// (the domain is an account's already), Exhausted.
base::Result<DomainClaim> claim_domain(store::Transaction& tx, DomainClaim claim);
base::Result<DomainClaim> get_claim(store::Transaction& tx, const base::AccountId& account,
                                    const std::string& domain);
base::Result<std::vector<DomainClaim>> list_claims(store::Transaction& tx,
                                                   const base::AccountId& account);
base::Result<void> drop_claim(store::Transaction& tx, const base::AccountId& account,
                              const std::string& domain);
// The claim becomes a domain of its account, and everybody else's claims to it end. Errors:
// NotFound (no claim), AlreadyExists.
base::Result<void> prove_domain(store::Transaction& tx, const base::AccountId& account,
                                const std::string& domain, Proof proof, base::WallTime now);

// Ways to find a tenant that are no host names: "email:ann@acme.example",
// "email-domain:acme.example"; lower case. Errors: InvalidArgument.
base::Result<std::string> parse_discovery_key(std::string_view text);

}  // namespace granary::registry
