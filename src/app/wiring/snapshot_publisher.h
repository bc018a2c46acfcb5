// Publishes the routing snapshot and the egress policy: builds them from the registry and replaces
// the files that the gateway and the egress role watch. Calls that come while one is being written
// share the next one. Lives on control's executor; the writing runs on a worker.
#pragma once

#include <functional>
#include <optional>

#include "base/event.h"
#include "base/task_group.h"
#include "base/timer.h"
#include "base/worker.h"
#include "lifecycle/lifecycle.h"
#include "store/store.h"
#include "wire/egress_policy.h"
#include "wire/paths.h"
#include "wire/routing.h"

namespace granary::app {

// Everything the gateway must know, and where accounts may connect to: what their release declares,
// and meanwhile that which they are to run. Tenants without a release yet are not routed; those
// that are suspended reach nothing.
struct Published {
  wire::Snapshot routing;
  wire::EgressPolicy egress;
};
base::Result<Published> build_published(store::Transaction& tx, const std::string& domain);

class SnapshotPublisher final : public lifecycle::Publisher {
 public:
  struct Parts {  // all outlive the publisher
    store::Store& store;
    base::Worker& worker;
    const base::Clock& clock;
    base::Timer& timer;
    // The generation that the gateway routes by; 0: nobody knows. Empty: nobody is waited for.
    std::function<std::uint64_t()> in_force;
  };
  SnapshotPublisher(base::asio::any_io_executor executor, Parts parts, wire::Paths paths,
                    std::string domain);

  // Resolves once a snapshot that was built after this call is in place, and the gateway routes by
  // it, if one runs. Errors: of the last
  // attempt; the operation that asked tries again.
  base::Task<base::Result<void>> publish() override;
  // Writes the egress policy alone, and only where the one in place allows less than is wanted.
  base::Task<base::Result<void>> permit(base::AccountId account) override;
  // Whether any account may connect to the outside, as it was published last.
  bool egress_in_use() const { return !policy_.accounts.empty(); }
  base::Task<void> close();

 private:
  enum class Files { EgressAlone, Both };

  base::Task<base::Result<void>> write();
  base::Task<void> work();
  base::Task<base::Result<void>> write_one(Files files);
  base::Task<void> await_gateway();

  Parts parts_;
  wire::Paths paths_;
  std::string domain_;
  wire::EgressPolicy policy_;    // as it was written last
  std::string egress_;           // its text
  bool routing_wanted_ = false;  // by somebody who is not covered yet
  // Progress: wanted_ > done_ => work() runs.
  std::uint64_t wanted_ = 0;
  std::uint64_t done_ = 0;
  bool working_ = false;
  base::Result<void> last_;
  std::uint64_t generation_ = 0;  // of what was written last
  // What was in force when the gateway was given up waiting for: while it stays so, nobody waits.
  std::optional<std::uint64_t> given_up_at_;
  base::Event written_;
  base::TaskGroup tasks_;
};

}  // namespace granary::app
