#include "api/auth.h"

#include "api/limits.h"
#include "base/hash.h"

namespace granary::api {

using base::Code;
using base::Result;
using base::Task;
using registry::Role;
using registry::Token;

std::string_view to_string(Access access) {
  switch (access) {
    case Access::Public:
      return "public";
    case Access::Viewer:
      return "viewer";
    case Access::Deployer:
      return "deployer";
    case Access::Operator:
      break;
  }
  return "operator";
}

bool allows(Role role, Access access) {
  switch (access) {
    case Access::Public:
    case Access::Viewer:
      return true;
    case Access::Deployer:
      return role == Role::Deployer || role == Role::Operator;
    case Access::Operator:
      break;
  }
  return role == Role::Operator;
}

Task<Result<Token>> Authenticator::authenticate(std::string secret) {
  if (secret.empty())
    co_return base::fail_with_advice(
        Code::Unauthenticated, "the request carries no token",
        "Send Authorization: Bearer TOKEN; an operator makes tokens with granary token create");
  const std::string digest = base::sha256_hex(secret);
  const auto known = known_.find(digest);
  if (known != known_.end() && known->second.until > clock_.boot()) {
    const auto expires = known->second.token.expires;
    if (!expires || *expires > clock_.wall()) co_return known->second.token;
  }
  const std::uint64_t forgotten = forgotten_;
  Token token;
  CO_TRY(co_await store_.read([&, now = clock_.wall()](store::Transaction& tx) -> Result<void> {
    TRY_ASSIGN(token, registry::authenticate(tx, secret, now));
    return {};
  }));
  if (forgotten == forgotten_) remember(digest, token);
  co_return token;
}

void Authenticator::remember(const std::string& digest, const Token& token) {
  if (known_.size() >= kKnownTokens) known_.clear();
  known_[digest] = {token, clock_.boot() + kTokenMemory};
}

void Authenticator::forget(const std::string& token_id) {
  ++forgotten_;
  std::erase_if(known_, [&](const auto& entry) { return entry.second.token.id == token_id; });
}

}  // namespace granary::api
