// Sending in pieces over a unix socket, so that the peer reads each by itself. For the fakes.
#pragma once

#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/async.h"
#include "base/os/unix_socket.h"

namespace granary::gateway::testing {

// Resolves once the peer, which runs on the same context, has read all that was sent, or was given
// enough turns to do so.
inline base::Task<void> until_read(base::asio::local::stream_protocol::socket& socket) {
  constexpr int kTurns = 100;
  for (int turn = 0; turn < kTurns; ++turn) {
    const auto unread = base::os::unread_by_peer(socket.native_handle());
    if (!unread || *unread == 0) co_return;
    co_await base::asio::post(socket.get_executor(), base::asio::use_awaitable);
  }
}

}  // namespace granary::gateway::testing
