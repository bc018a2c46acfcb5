// The tenants' own data: what their apps have written, and what of it may be in an account or an
// archive at any moment. A write of an app is lost only by a restore that was asked for, or with
// its account. Single-threaded.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "cloud/sim/sim_cloud.h"
#include "lifecycle/testing/simulation/journal.h"
#include "operation/operation.h"

namespace granary::lifecycle::simulation {

class Apps final {
 public:
  // `cloud` must outlive it.
  explicit Apps(cloud::sim::SimCloud& cloud) : cloud_(cloud) {}

  // The app of the account writes, if it takes traffic. False: it does not.
  bool write(const base::AccountId& account, const std::string& value);
  // A restore of this content into the tenant was asked for.
  void restoring(const base::AccountId& tenant, const Call& call, const std::string& content);
  // What restores brought that had ended is gone by a write after it. `ended`: all that have.
  void forget_restores(const base::AccountId& tenant,
                       const std::map<base::OperationId, operation::State>& ended);
  // Why the account may not hold what it holds; empty: it may.
  std::string wrong_data(const base::AccountId& account) const;
  // After this restore has succeeded: whether its content may be missing from the account, because
  // the app has written since.
  bool lacks(const base::AccountId& account, const Call& restore) const;
  // Whether the tenant ever had this content.
  bool had(const base::AccountId& tenant, const std::string& content) const;

 private:
  struct Restore {
    const Call* call;
    std::string content;
    bool written_over = false;  // the app has written since it was asked for
  };
  struct Life {
    std::uint32_t ordinal = 0;
    std::string last;  // written by the app
  };

  cloud::sim::SimCloud& cloud_;
  std::map<base::AccountId, Life> lives_;  // of the account that is there, or was last
  std::map<base::AccountId, std::vector<Restore>> restores_;
  std::map<base::AccountId, std::set<std::string>> ever_;
};

}  // namespace granary::lifecycle::simulation
