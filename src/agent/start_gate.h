// Bounds how many silos start at once on this machine: first come, first served. Lives on the
// agent's executor.
#pragma once

#include <list>
#include <memory>

#include "base/event.h"

namespace granary::agent {

class StartGate final {
 public:
  StartGate(base::asio::any_io_executor executor, std::size_t places)
      : executor_(std::move(executor)), free_(places) {}
  ~StartGate();
  StartGate(const StartGate&) = delete;
  StartGate& operator=(const StartGate&) = delete;

  // A place, given back with its destruction.
  class Place final {
   public:
    explicit Place(StartGate* gate) : gate_(gate) {}
    ~Place() { release(); }
    Place(Place&& other) noexcept : gate_(std::exchange(other.gate_, nullptr)) {}
    Place& operator=(Place&&) = delete;
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    void release() {
      if (auto* gate = std::exchange(gate_, nullptr)) gate->leave();
    }

   private:
    StartGate* gate_;
  };
  // Errors: Cancelled.
  base::Task<base::Result<Place>> enter();
  bool contended() const { return !waiting_.empty(); }

 private:
  struct Waiter {
    explicit Waiter(const base::asio::any_io_executor& executor) : called(executor) {}
    base::Event called;
    bool has_place = false;
  };
  void leave();

  base::asio::any_io_executor executor_;
  // Safety: places out + free_ is constant. Progress: waiting_ not empty => free_ == 0.
  std::size_t free_;
  std::list<std::shared_ptr<Waiter>> waiting_;  // owned by this and by the waiting task
};

}  // namespace granary::agent
