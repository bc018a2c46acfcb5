// A process that shares a store file with others, as far as a store and a lease can tell: a world
// of its own with clocks and a timer, connections of its own to the file. One that is stopped
// (SIGSTOP) does nothing while its clocks go on; one that is killed reaches its store no more.
// Single-threaded.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/task_group.h"
#include "store/leased_store.h"
#include "store/testing/faulty_store.h"
#include "store/testing/temporary_store.h"

namespace granary::store::testing {

class StoreProcess {
 public:
  // `place`: see LeaseHolder.
  StoreProcess(const std::string& path, const std::string& name, const std::string& place = {})
      : lease_tasks_(world.executor()) {
    auto opened = open_sqlite({path, SqliteOptions::Durability::Normal},
                              {world.worker, world.worker}, migrations());
    ASSERT(opened.has_value());
    file_ = std::move(*opened);
    faulty = std::make_unique<FaultyStore>(*file_);
    leased = std::make_unique<LeasedStore>(LeasedStore::Parts{*faulty, world.clock, world.timer},
                                           LeaseHolder{.name = name, .place = place});
  }
  virtual ~StoreProcess() { world.run(lease_tasks_.close()); }
  StoreProcess(const StoreProcess&) = delete;
  StoreProcess& operator=(const StoreProcess&) = delete;

  // Takes the lease if it is free, and renews it from then on.
  base::Result<void> take() {
    auto taken = world.run(leased->try_acquire());
    if (taken) keep();
    return taken;
  }
  // Renews the lease that it has.
  void keep() { lease_tasks_.spawn("keep", leased->keep()); }
  // Waits for the lease, then renews it.
  void stand_by() {
    lease_tasks_.spawn("stand by", wait_and_keep());
    world.settle();
  }
  bool has_lease() const { return leased->may_act(); }
  virtual void kill() {
    faulty->kill();
    stopped = true;
  }

  base::testing::World world;
  std::unique_ptr<FaultyStore> faulty;
  std::unique_ptr<LeasedStore> leased;
  bool stopped = false;

 protected:
  virtual base::Task<void> with_lease() { co_return; }

 private:
  base::Task<void> wait_and_keep() {
    if (!co_await leased->acquire()) co_return;
    co_await with_lease();
    co_await leased->keep();
  }

  std::unique_ptr<Store> file_;
  base::TaskGroup lease_tasks_;
};

// Time passes for all of them, in small steps, so that they meet at the store as they would.
inline void pass(std::chrono::nanoseconds time, const std::vector<StoreProcess*>& processes) {
  constexpr std::chrono::milliseconds kStep{500};
  for (std::chrono::nanoseconds passed{0}; passed < time; passed += kStep) {
    for (StoreProcess* process : processes) {
      if (process->stopped) {
        process->world.clock.advance(kStep);
      } else {
        process->world.advance(kStep);
      }
    }
  }
}

}  // namespace granary::store::testing
