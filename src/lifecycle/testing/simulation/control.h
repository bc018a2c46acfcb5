// One life of a control plane: the engine and the lifecycle, over a store that fails and a link to
// the cloud that does, from its start until it is killed. kill() is SIGKILL: from that moment on
// nothing of it reaches store, cloud or anything else, and nobody gets an answer. Its coroutines
// end soon after. On the world's one executor.
#pragma once

#include <memory>

#include "base/task_group.h"
#include "cloud/sim/link.h"
#include "lifecycle/lifecycle.h"
#include "lifecycle/testing/simulation/surroundings.h"
#include "lifecycle/time_keeper.h"
#include "store/testing/faulty_store.h"

namespace granary::lifecycle::simulation {

// Accounts at once that follow a plan: few, so that worlds of a dozen tenants meet the window.
inline constexpr std::uint32_t kSimWindow = 3;

class Control final {
 public:
  struct Outside {  // outlives every control plane
    base::testing::World& world;
    cloud::sim::Link& link;
    testing::FakeProber& prober;
    std::function<void()> published;  // the gateways take what the database has now
    testing::FakeArchives& archives;
    testing::FakeDomains& domains;
    const base::SigningKey& signing_key;
    const base::SealingKey& sealing_key;
    std::string boot_id;          // of the machine
    std::string place;            // of the lease: one control has it at a time
    std::chrono::seconds renews;  // the lease, so often; it expires after three times as long
    std::function<void(const std::string&)> removing;  // an archive
  };
  struct Chances {
    double probe_fails = 0;
    double publish_fails = 0;
    double archive_fails = 0;
  };
  // `store` is shared with the world's disk, which may open another one meanwhile.
  Control(Outside outside, std::shared_ptr<store::Store> store, Chances chances,
          store::testing::FaultyStore::Faults faults, cloud::sim::LinkEnd::Watch watch);

  void kill();
  // It goes on, as one whose process was stopped or whose network is gone, and still reaches the
  // store; another control takes its place, and nothing that it does counts any more.
  void isolate();
  // Nothing of its surroundings fails any more.
  void calm();
  bool dead() const { return isolated_ || store_.dead(); }
  // After kill(): until its own tasks have ended. Callers may still be inside.
  base::Task<void> close();

  // Takes the lease on the store and keeps it. Errors: Conflict.
  base::Task<base::Result<void>> take_lease();
  bool has_lost_lease() const { return leased_.is_lost(); }
  void on_change(operation::Listener listener) {
    listening_ = engine_.on_change(std::move(listener));
  }

  store::testing::FaultyStore& store() { return store_; }
  operation::Engine& engine() { return engine_; }
  TimeKeeper& keeper() { return keeper_; }
  Lifecycle& lifecycle() { return lifecycle_; }

 private:
  // Shared with the disk: see above.
  std::shared_ptr<store::Store> disk_;
  store::testing::FaultyStore store_;
  store::LeasedStore leased_;
  cloud::sim::LinkEnd cloud_;
  bool isolated_ = false;
  Way probing_;
  Way publishing_;
  Way archiving_;
  SimProber prober_;
  testing::FakeReleaseFiles release_files_;
  SimPublisher publisher_;
  SimArchives archives_;
  base::TrustedClock clock_;
  operation::Engine engine_;
  operation::Listening listening_;
  TimeKeeper keeper_;
  Lifecycle lifecycle_;
  base::TaskGroup lease_;
};

}  // namespace granary::lifecycle::simulation
