#include "base/task_group.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/system/system_error.hpp>

#include "base/check.h"
#include "base/log.h"

namespace granary::base {
namespace {

// What an exception says; empty for a cancellation, which is how a task is asked to stop.
std::string reason(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const boost::system::system_error& error) {
    return error.code() == asio::error::operation_aborted ? std::string() : error.what();
  } catch (const std::exception& error) {
    return error.what();
  } catch (...) {
    return "an unknown exception";
  }
}

}  // namespace

TaskGroup::TaskGroup(asio::any_io_executor executor)
    : executor_(std::move(executor)), empty_(executor_) {}

TaskGroup::~TaskGroup() { ASSERT(members_.empty()); }

bool TaskGroup::spawn(std::string name, Task<void> task) {
  if (closing_) return false;
  auto member = members_.emplace(members_.end());
  member->name = std::move(name);
  asio::co_spawn(executor_, std::move(task),
                 asio::bind_cancellation_slot(member->cancel.slot(),
                                              [this, member](const std::exception_ptr& failure) {
                                                ended(member, failure);
                                              }));
  return true;
}

void TaskGroup::ended(std::list<Member>::iterator member, const std::exception_ptr& failure) {
  if (failure) {
    const std::string why = reason(failure);
    if (!why.empty()) log::error("task {} ended by an exception: {}", member->name, why);
  }
  members_.erase(member);
  if (members_.empty()) empty_.notify_all();
}

void TaskGroup::cancel_all() {
  // A task that ends at once erases its own member, so step before emitting.
  for (auto member = members_.begin(); member != members_.end();) {
    auto current = member++;
    current->cancel.emit(asio::cancellation_type::terminal);
  }
}

Task<void> TaskGroup::close() {
  closing_ = true;
  cancel_all();
  while (!members_.empty()) {
    if (!co_await empty_.wait()) co_return;
  }
}

}  // namespace granary::base
