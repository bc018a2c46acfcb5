// Keeps a fault of one piece of work from ending more than that work: an exception that leaves it
// (a BrokenInvariant, a library's, no memory) becomes an Error of its caller. For the places where
// a role turns to one tenant or one request. Any executor.
#pragma once

#include <exception>

#include "base/async.h"

namespace granary::base {

// The Error for an exception: Cancelled for an awaited operation that was cancelled, else Internal,
// which says that it is a fault of this program.
Error error_of(const std::exception_ptr& thrown);

template <class T>
Task<Result<T>> contained(Task<Result<T>> work) {
  std::exception_ptr thrown;
  try {
    co_return co_await std::move(work);
  } catch (...) {
    thrown = std::current_exception();
  }
  co_return std::unexpected(error_of(thrown));
}

// The same for work that runs at once. `work` returns a Result.
template <class F>
std::invoke_result_t<F&> contained_call(F&& work) {
  try {
    return work();
  } catch (...) {
    return std::unexpected(error_of(std::current_exception()));
  }
}

}  // namespace granary::base
