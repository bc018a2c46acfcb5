// What only the cloud's agent knows, given up as soon as the agent is found away, however long the
// question's own deadline is. For questions of people, who are told what control knows; not for
// operations, which wait for the agent and try again. Lives on the server's executor.
#pragma once

#include <boost/asio/experimental/awaitable_operators.hpp>

#include "api/context.h"

namespace granary::api {

// Resolves when the agent is away. Most answers come before it looks at all. In common.cc.
base::Task<base::Error> agent_away(Context& context);

// The answer, or Unavailable with what is known of the agent.
template <class T>
base::Task<base::Result<T>> agent_answer(Context& context, base::Task<base::Result<T>> answer) {
  using base::asio::experimental::awaitable_operators::operator||;
  auto first = co_await (std::move(answer) || agent_away(context));
  if (first.index() == 0) co_return std::get<0>(std::move(first));
  co_return std::unexpected(std::get<1>(std::move(first)));
}

}  // namespace granary::api
