// The accounts that may connect to the outside, by the user that the kernel says a connection
// comes from, with what each may reach and what it has open. Owned by the Proxy; one thread.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>

#include "base/event.h"
#include "egress/usage.h"
#include "wire/egress_policy.h"

namespace granary::egress {

using Targets = std::set<std::string>;  // as wire::to_string() writes them

struct Account {
  Account(const wire::EgressAccount& named, std::shared_ptr<Usage> counts,
          const base::asio::any_io_executor& executor)
      : id(named.account),
        ordinal(named.ordinal),
        usage(std::move(counts)),
        changed(executor),
        looked_up(executor) {}

  bool allows(const wire::EgressTarget& target) const {
    return targets && targets->contains(wire::to_string(target));
  }

  const base::AccountId id;
  const std::uint32_t ordinal;
  const std::shared_ptr<Usage> usage;  // owned by the UsageBook, too, until it forgets it
  // Owned by all accounts of one list; null for one that is in the policy no more.
  std::shared_ptr<const Targets> targets;
  std::size_t connections = 0;
  std::size_t lookups = 0;  // at most kLookupsEach
  base::Event changed;      // its targets
  base::Event looked_up;    // a lookup has ended
};

class Accounts final {
 public:
  // `usage` outlives this and all accounts.
  Accounts(std::uint32_t uid_base, UsageBook& usage, base::asio::any_io_executor executor)
      : uid_base_(uid_base), usage_(usage), executor_(std::move(executor)) {}

  // From now on this holds. Accounts that stay keep what they have open.
  void apply(const wire::EgressPolicy& policy);
  std::size_t size() const { return accounts_.size(); }
  // Null for a user that is no account's.
  std::shared_ptr<Account> find(std::uint32_t uid) const;

 private:
  std::uint32_t uid_base_;
  UsageBook& usage_;
  base::asio::any_io_executor executor_;
  // By ordinal. Owned by this and by their connections.
  std::map<std::uint32_t, std::shared_ptr<Account>> accounts_;
};

}  // namespace granary::egress
