// Bearer tokens: stored as digests only, so that a copy of the database lets nobody in.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/rng.h"
#include "store/store.h"

namespace granary::registry {

enum class Role { Operator, Deployer, Viewer };
std::string_view to_string(Role role);
base::Result<Role> role_from(std::string_view name);

struct Token {
  std::string id;  // ULID, not secret
  Role role = Role::Viewer;
  std::string label;
  base::WallTime created;
  std::optional<base::WallTime> expires;
  std::optional<base::WallTime> revoked;
};

struct NewToken {
  Token token;
  std::string secret;  // "gry_" and 43 letters (256 bits); shown once, never stored
};
base::Result<NewToken> create_token(store::Transaction& tx, Token token, base::Rng& rng);
// The same for a secret that exists already (the operator token's file).
base::Result<void> adopt_token(store::Transaction& tx, const Token& token,
                               const std::string& secret);
// Errors: Unauthenticated for an unknown, expired or revoked one; never says which.
base::Result<Token> authenticate(store::Transaction& tx, std::string_view secret,
                                 base::WallTime now);
base::Result<std::vector<Token>> list_tokens(store::Transaction& tx);
// Errors: NotFound.
base::Result<Token> get_token(store::Transaction& tx, const std::string& id);
// Errors: NotFound.
base::Result<void> revoke_token(store::Transaction& tx, const std::string& id, base::WallTime now);
std::string make_secret(base::Rng& rng);

}  // namespace granary::registry
