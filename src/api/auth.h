// Who a request comes from: a bearer token, looked up in the registry and remembered for a moment,
// so that a busy client costs no query for each request. Lives on the server's executor.
#pragma once

#include <map>
#include <string>

#include "base/clock.h"
#include "registry/token.h"
#include "store/store.h"

namespace granary::api {

// What a route asks for. Each includes what stands before it.
enum class Access { Public, Viewer, Deployer, Operator };
std::string_view to_string(Access access);
bool allows(registry::Role role, Access access);

class Authenticator final {
 public:
  // References must outlive it.
  Authenticator(store::Store& store, const base::Clock& clock) : store_(store), clock_(clock) {}

  // Errors: Unauthenticated, without saying why.
  base::Task<base::Result<registry::Token>> authenticate(std::string secret);
  // A token that was revoked: nobody gets in with it from now on.
  void forget(const std::string& token_id);

 private:
  struct Known {
    registry::Token token;
    base::BootTime until{0};
  };
  void remember(const std::string& digest, const registry::Token& token);

  store::Store& store_;
  const base::Clock& clock_;
  std::map<std::string, Known> known_;  // by digest; at most kKnownTokens
  std::uint64_t forgotten_ = 0;         // a lookup under way must not undo a forget()
};

}  // namespace granary::api
