// The rows of accounts, their labels and domains. Internal to this room.
#pragma once

#include "registry/account.h"

namespace granary::registry::rows {

base::Result<void> insert(store::Transaction& tx, const Account& account);
base::Result<void> update(store::Transaction& tx, const Account& account);
// `where` is our own text with placeholders for `parameters`; labels and domains are filled in.
base::Result<std::vector<Account>> select(store::Transaction& tx, const std::string& where,
                                          std::vector<store::Value> parameters);
base::Result<void> put_label(store::Transaction& tx, const base::AccountId& id,
                             const std::string& name, const std::string& value);
base::Result<void> drop_label(store::Transaction& tx, const base::AccountId& id,
                              const std::string& name);
// The refusal of a domain that another account has, with the way out.
base::Failure domain_taken(const std::string& domain);
// Errors: AlreadyExists when another account has the domain.
base::Result<void> add_domain(store::Transaction& tx, const base::AccountId& id,
                              const std::string& domain);
base::Result<void> drop_domain(store::Transaction& tx, const base::AccountId& id,
                               const std::string& domain);
// Errors: AlreadyExists when another account has the key.
base::Result<void> add_discovery(store::Transaction& tx, const base::AccountId& id,
                                 const std::string& key);
base::Result<void> drop_discovery(store::Transaction& tx, const base::AccountId& id,
                                  const std::string& key);

}  // namespace granary::registry::rows
