// A control plane in simulation: a real SQLite store, the engine and the lifecycle over the
// simulated cloud, in virtual time. crash() throws away all that lives in memory, as SIGKILL does,
// and starts again from the store; the cloud and the gateway's view outlive it.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "base/testing/world.h"
#include "cloud/sim/sim_cloud.h"
#include "lifecycle/lifecycle.h"
#include "lifecycle/testing/fake_archives.h"
#include "lifecycle/time_keeper.h"
#include "store/testing/temporary_store.h"

namespace granary::lifecycle::testing {

// Answers for an account as the simulated cloud would serve it.
class FakeProber final : public Prober {
 public:
  explicit FakeProber(const cloud::sim::SimCloud& cloud) : cloud_(cloud) {}
  base::Task<base::Result<void>> probe(base::AccountId account, std::string path) override {
    ++probes_[account];
    const auto found = cloud_.accounts().find(account);
    if (found == cloud_.accounts().end() || found->second.traffic != cloud::Traffic::Allowed)
      co_return base::fail(base::Code::Unavailable, "404 at {}", path);
    if (broken_.contains(found->second.release_hash))
      co_return base::fail(base::Code::Unavailable, "503 at {}", path);
    co_return base::Result<void>();
  }
  base::Task<base::Result<Answer>> reach(base::AccountId account, std::string path) override {
    ++reaches_[account];
    const bool broken_off = broken_off_.contains(path) || broken_off_.contains("");
    CO_TRY(co_await probe(std::move(account), std::move(path)));
    co_return broken_off ? Answer::BrokenOff : Answer::OfApp;
  }
  // The app breaks off instead of answering this path; empty: any.
  void break_off_at(const std::string& path) { broken_off_.insert(path); }
  int reaches(const base::AccountId& account) { return reaches_[account]; }
  void break_release(const std::string& hash) { broken_.insert(hash); }
  int probes(const base::AccountId& account) { return probes_[account]; }

 private:
  const cloud::sim::SimCloud& cloud_;
  std::set<std::string> broken_;
  std::set<std::string> broken_off_;  // paths
  std::map<base::AccountId, int> probes_;
  std::map<base::AccountId, int> reaches_;
};

class FakePublisher final : public Publisher {
 public:
  base::Task<base::Result<void>> publish() override {
    ++publications_;
    co_return base::Result<void>();
  }
  base::Task<base::Result<void>> permit(base::AccountId account) override {
    if (on_permit) on_permit(account);
    co_return base::Result<void>();
  }
  int publications() const { return publications_; }

  std::function<void(const base::AccountId&)> on_permit;  // looks at the world as it is then

 private:
  int publications_ = 0;
};

class FakeReleaseFiles final : public ReleaseFiles {
 public:
  base::Task<base::Result<void>> remove(std::string hash) override {
    std::erase_if(files, [&](const Found& file) { return file.hash == hash; });
    removed.push_back(std::move(hash));
    co_return base::Result<void>();
  }
  base::Task<base::Result<std::vector<Found>>> list() override { co_return files; }
  std::vector<Found> files;
  std::vector<std::string> removed;
};

class ControlWorld final {
 public:
  explicit ControlWorld(std::uint64_t seed = 1, cloud::sim::Faults faults = {})
      : world(seed), cloud(world.timer, world.rng, faults) {
    auto signing = base::SigningKey::open(store.path() + ".signing");
    auto sealing = base::SealingKey::open(store.path() + ".sealing");
    ASSERT(signing.has_value() && sealing.has_value());
    signing_key = std::move(*signing);
    sealing_key = std::move(*sealing);
    start();
    add_release("aaaa11112222", "insight-1");
    add_release("bbbb11112222", "insight-2");
  }
  ~ControlWorld() { stop(); }
  ControlWorld(const ControlWorld&) = delete;
  ControlWorld& operator=(const ControlWorld&) = delete;

  void crash() {
    stop();
    store.reopen();
    start();
    ASSERT(world.run(engine->recover()).has_value());
  }

  // Takes a wall away: control starts again and goes by the machine's clock, whatever that does.
  void go_by_machine_clock() {
    by_machine_ = true;
    crash();
  }
  // As crash(), and the machine is off meanwhile: boot time says nothing of how long.
  void reboot(std::chrono::nanoseconds off) {
    stop();
    store.reopen();
    world.advance(off);
    ++boots_;
    start();
    ASSERT(world.run(engine->recover()).has_value());
  }

  base::Result<operation::Operation> ended(base::Result<operation::Operation> submitted) {
    if (!submitted) return submitted;
    return world.run(engine->wait(submitted->id));
  }
  base::Result<operation::Operation> create(const std::string& id) {
    CreateTenant request;
    request.id = base::AccountId(id);
    request.release = "insight-1";
    return world.run(lifecycle->create(std::move(request), {"test", ""}));
  }
  base::Result<registry::Account> get(const std::string& id) {
    return world.run(lifecycle->get(base::AccountId(id)));
  }
  // Of a request that was submitted: how it ended.
  base::Result<operation::Operation> done(base::Task<base::Result<operation::Operation>> request) {
    return ended(world.run(std::move(request)));
  }
  // What `work` reads of the store.
  template <class T>
  T read(std::function<base::Result<T>(store::Transaction&)> work) {
    T made;
    const auto read = world.run(store.get().read([&](store::Transaction& tx) -> base::Result<void> {
      auto result = work(tx);
      if (!result) return std::unexpected(result.error());
      made = std::move(*result);
      return {};
    }));
    ASSERT(read.has_value());
    return made;
  }
  // Until no operation is under way.
  void finish_all() {
    for (;;) {
      const auto all = world.run(engine->list({}));
      ASSERT(all.has_value());
      const auto open = std::ranges::find_if(
          *all, [](const auto& operation) { return !operation::is_final(operation.state); });
      if (open == all->end()) return;
      ASSERT(world.run(engine->wait(open->id)).has_value());
    }
  }

  base::testing::World world;
  store::testing::TemporaryStore store;
  cloud::sim::SimCloud cloud;
  FakeProber prober{cloud};
  FakePublisher publisher;
  FakeArchives archives{cloud};
  FakeReleaseFiles release_files;
  FakeDomains domains;
  std::unique_ptr<base::SigningKey> signing_key;
  std::unique_ptr<base::SealingKey> sealing_key;
  std::unique_ptr<base::TrustedClock> clock;
  std::unique_ptr<store::LeasedStore> leased;
  std::unique_ptr<operation::Engine> engine;
  std::unique_ptr<TimeKeeper> keeper;
  std::unique_ptr<Lifecycle> lifecycle;

 private:
  void start() {
    clock = std::make_unique<base::TrustedClock>(world.clock, fmt::format("boot {}", boots_));
    const base::Clock& in_force =
        by_machine_ ? static_cast<const base::Clock&>(world.clock) : *clock;
    leased = std::make_unique<store::LeasedStore>(
        store::LeasedStore::Parts{store.get(), world.clock, world.timer},
        store::LeaseHolder{.name = "the control under test", .place = "here"},
        // Nobody renews it: tests pass years.
        store::LeaseTimes{.expires = std::chrono::years(100)});
    ASSERT(world.run(leased->try_acquire()).has_value());
    engine = std::make_unique<operation::Engine>(world.executor(), *leased, in_force, world.timer,
                                                 world.rng);
    keeper =
        std::make_unique<TimeKeeper>(TimeKeeper::Parts{world.executor(), *leased, *engine, *clock});
    ASSERT(world.run(keeper->recover()).has_value());
    lifecycle = std::make_unique<Lifecycle>(Lifecycle::Parts{*leased,
                                                             *engine,
                                                             {{"host", &cloud}},
                                                             prober,
                                                             publisher,
                                                             archives,
                                                             release_files,
                                                             domains,
                                                             *signing_key,
                                                             *sealing_key,
                                                             in_force,
                                                             world.rng});
    lifecycle->register_kinds();
  }
  void stop() {
    world.run(engine->close());
    lifecycle.reset();
    keeper.reset();
    engine.reset();
    leased.reset();
  }
  void add_release(const std::string& hash, const std::string& id) {
    registry::Release release;
    release.hash = hash;
    release.id = base::ReleaseId(id);
    release.app = "insight";
    release.manifest =
        R"({"services": [{"name": "api", "routes": ["/api/"], "health": "/api/health",
             "idle_ms": 60000, "limits": {"memory_bytes": 134217728, "cpu_millis": 500,
             "processes": 64, "in_flight": 100}}], "secrets": ["STRIPE_KEY"]})";
    release.created = world.clock.wall();
    ASSERT(world
               .run(store.get().write([&](store::Transaction& tx) -> base::Result<void> {
                 TRY(registry::insert_release(tx, release));
                 return {};
               }))
               .has_value());
  }

  int boots_ = 1;  // of the machine
  bool by_machine_ = false;
};

}  // namespace granary::lifecycle::testing
