// Waiting for a task, but not for ever. For coroutines of one executor.
#pragma once

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <optional>

#include "base/timer.h"

namespace granary::egress {

// What `task` resolves to, or nothing when that takes longer: then it is cancelled and waited for.
template <class T>
base::Task<std::optional<T>> within(base::Timer& timer, std::chrono::nanoseconds limit,
                                    base::Task<T> task) {
  using base::asio::experimental::awaitable_operators::operator||;
  auto first = co_await (std::move(task) || timer.sleep(limit));
  if (first.index() == 0) co_return std::get<0>(std::move(first));
  co_return std::nullopt;
}

}  // namespace granary::egress
