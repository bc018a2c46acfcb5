#include "agent/start_gate.h"

#include "base/check.h"

namespace granary::agent {

StartGate::~StartGate() { ASSERT(waiting_.empty()); }

base::Task<base::Result<StartGate::Place>> StartGate::enter() {
  if (free_ > 0) {
    --free_;
    co_return Place(this);
  }
  auto waiter = std::make_shared<Waiter>(executor_);
  waiting_.push_back(waiter);
  const auto called = co_await waiter->called.wait();
  if (waiter->has_place) {
    Place place(this);
    if (called) co_return place;
    co_return base::fail(base::Code::Cancelled, "the start was cancelled");
  }
  std::erase(waiting_, waiter);
  co_return base::fail(base::Code::Cancelled, "the start was cancelled");
}

void StartGate::leave() {
  if (waiting_.empty()) {
    ++free_;
    return;
  }
  const std::shared_ptr<Waiter> next = waiting_.front();
  waiting_.pop_front();
  next->has_place = true;
  next->called.notify_all();
}

}  // namespace granary::agent
