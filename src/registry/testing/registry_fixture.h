// A store and a clock, and one transaction at a time over them.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "base/testing/world.h"
#include "registry/account.h"
#include "store/testing/temporary_store.h"

namespace granary::registry::testing {

class RegistryFixture : public ::testing::Test {
 protected:
  // Runs one transaction and gives what it made.
  template <class T>
  base::Result<T> in_tx(std::function<base::Result<T>(store::Transaction&)> work) {
    base::Result<T> made = base::fail(base::Code::Internal, "not run");
    const auto done =
        world_.run(store_.get().write([&](store::Transaction& tx) -> base::Result<void> {
          made = work(tx);
          if (!made) return std::unexpected(made.error());
          return {};
        }));
    if (!done) return std::unexpected(done.error());
    return made;
  }
  // The same for what gives nothing.
  base::Result<void> change(store::Work work) { return world_.run(store_.get().write(work)); }
  base::Result<Account> add(const std::string& id, std::vector<std::string> domains = {}) {
    return in_tx<Account>([&](store::Transaction& tx) {
      Account account;
      account.id = base::AccountId(id);
      account.name = id;
      account.domains = domains;
      account.labels = {{"region", "eu"}};
      account.settings = {{"beta", "on"}};
      account.created = account.updated = world_.clock.wall();
      return insert(tx, account);
    });
  }
  base::Result<Account> get_account(const std::string& id) {
    return in_tx<Account>([&](store::Transaction& tx) { return get(tx, base::AccountId(id)); });
  }

  base::testing::World world_;
  store::testing::TemporaryStore store_;
};

}  // namespace granary::registry::testing
