#include "egress/accounts.h"

namespace granary::egress {

void Accounts::apply(const wire::EgressPolicy& policy) {
  std::vector<std::shared_ptr<const Targets>> lists;
  for (const auto& list : policy.lists)
    lists.push_back(std::make_shared<const Targets>(list.begin(), list.end()));
  std::map<std::uint32_t, std::shared_ptr<Account>> before = std::move(accounts_);
  accounts_.clear();
  for (const wire::EgressAccount& named : policy.accounts) {
    std::shared_ptr<Account> account;
    const auto known = before.find(named.ordinal);
    if (known != before.end() && known->second->id == named.account) {
      account = std::move(known->second);
      before.erase(known);
    } else {
      account =
          std::make_shared<Account>(named, usage_.of(named.account, named.ordinal), executor_);
    }
    account->targets = lists[named.list];
    account->changed.notify_all();
    accounts_.emplace(named.ordinal, std::move(account));
  }
  for (const auto& [ordinal, gone] : before) {
    gone->targets.reset();
    gone->changed.notify_all();
  }
}

std::shared_ptr<Account> Accounts::find(std::uint32_t uid) const {
  if (uid < uid_base_) return nullptr;
  const auto found = accounts_.find(uid - uid_base_);
  return found == accounts_.end() ? nullptr : found->second;
}

}  // namespace granary::egress
