// One at a time for each name: an account's changes, a release's unpacking. First come, first
// served. Lives on the agent's executor.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "agent/start_gate.h"

namespace granary::agent {

class KeyedLock final {
 public:
  explicit KeyedLock(base::asio::any_io_executor executor) : executor_(std::move(executor)) {}

  class Held final {
   public:
    Held(KeyedLock* lock, std::string key, std::shared_ptr<StartGate> gate, StartGate::Place place)
        : lock_(lock), key_(std::move(key)), gate_(std::move(gate)), place_(std::move(place)) {}
    ~Held() {
      if (!gate_) return;
      place_.release();
      const auto found = lock_->gates_.find(key_);
      // Nobody else holds or awaits it: the map's and ours.
      if (found != lock_->gates_.end() && found->second.use_count() == 2)
        lock_->gates_.erase(found);
    }
    Held(Held&&) = default;
    Held& operator=(Held&&) = delete;

   private:
    KeyedLock* lock_;
    std::string key_;
    std::shared_ptr<StartGate> gate_;  // owned by the lock's map and by who holds or waits
    StartGate::Place place_;
  };

  // Errors: Cancelled. The lock must outlive what it returns.
  base::Task<base::Result<Held>> lock(std::string key) {
    std::shared_ptr<StartGate>& known = gates_[key];  // owned by the map and by who holds or waits
    if (!known) known = std::make_shared<StartGate>(executor_, 1);
    std::shared_ptr<StartGate> gate = known;  // owned by the map and by who holds or waits
    auto place = co_await gate->enter();
    if (!place) co_return std::unexpected(std::move(place).error());
    co_return Held(this, std::move(key), std::move(gate), std::move(*place));
  }

 private:
  base::asio::any_io_executor executor_;
  // Owned by this and by those who hold or await it.
  std::map<std::string, std::shared_ptr<StartGate>> gates_;
};

}  // namespace granary::agent
