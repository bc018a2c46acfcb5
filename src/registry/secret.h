// Secrets as rows: their values sealed by the caller under a key that is not in the store. A secret
// is one account's or everybody's; an account's own goes before everybody's. Each function runs
// inside a transaction of the caller's.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"
#include "store/store.h"

namespace granary::registry {

struct Secret {
  base::AccountId account;  // empty: everybody's
  std::string name;         // [A-Z][A-Z0-9_]{0,63}: a file in SECRETS_DIR
  std::string sealed;       // text
  std::string actor;        // who set it
  base::WallTime updated;
};

// Errors: InvalidArgument, with the rule.
base::Result<std::string> parse_secret_name(std::string_view text);

// Errors: NotFound (no such account), Exhausted (more than kMaxSecrets).
base::Result<void> put_secret(store::Transaction& tx, const Secret& secret);
// Errors: NotFound.
base::Result<void> remove_secret(store::Transaction& tx, const base::AccountId& account,
                                 const std::string& name);
// All of them, or those that an account gets; by name.
base::Result<std::vector<Secret>> list_secrets(store::Transaction& tx);
// Of all of them a page, by name and account.
struct SecretPage {
  struct Place {
    base::AccountId account;
    std::string name;
  };
  Place after;
  std::uint32_t limit = 100;
};
base::Result<std::vector<Secret>> list_secrets(store::Transaction& tx, const SecretPage& page);
base::Result<std::vector<Secret>> secrets_of(store::Transaction& tx,
                                             const base::AccountId& account);

}  // namespace granary::registry
