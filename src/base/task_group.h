// Owns running tasks, so that none is ever detached: closing refuses new ones, cancels the
// running, and waits for them. Lives on one executor, given at construction; not thread-safe.
#pragma once

#include <boost/asio/cancellation_signal.hpp>
#include <list>
#include <string>

#include "base/async.h"
#include "base/event.h"

namespace granary::base {

class TaskGroup final {
 public:
  explicit TaskGroup(asio::any_io_executor executor);
  ~TaskGroup();  // asserts that no task is left
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;

  // Starts `task`; `name` stands in the log if it ends with an exception. False, and the task is
  // dropped unstarted, once close() has begun.
  bool spawn(std::string name, Task<void> task);
  // Asks every task to stop, without refusing new ones.
  void cancel_all();
  // Refuses, cancels, joins. Idempotent.
  Task<void> close();

  std::size_t size() const { return members_.size(); }
  bool closing() const { return closing_; }

 private:
  struct Member {
    std::string name;
    asio::cancellation_signal cancel;
  };
  void ended(std::list<Member>::iterator member, const std::exception_ptr& failure);

  asio::any_io_executor executor_;
  std::list<Member> members_;
  Event empty_;
  bool closing_ = false;
};

}  // namespace granary::base
