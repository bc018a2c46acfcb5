// Accepts connections on one address and hands the sockets on, as fast as they come; when the
// machine has no descriptors left it waits instead of spinning. Owned by the Gateway; one thread.
#pragma once

#include <boost/asio/basic_socket_acceptor.hpp>
#include <functional>

#include "base/os/fd.h"
#include "base/timer.h"
#include "gateway/gateway.h"
#include "gateway/io.h"

namespace granary::gateway {

class Listener final {
 public:
  using Take = std::move_only_function<void(TcpSocket, const Tcp::endpoint&)>;
  // `timer` outlives the listener.
  Listener(Executor executor, base::Timer& timer, Take take)
      : acceptor_(executor), executor_(executor), timer_(timer), take_(std::move(take)) {}

  // Errors: InvalidArgument (no IP address), Conflict (taken by another program), Refused.
  base::Result<void> open(const Endpoint& endpoint);
  // Instead of open(): a socket that listens already, and may be listened on by others too.
  // Errors: InvalidArgument (it does not listen for TCP).
  base::Result<void> adopt(base::os::Fd socket);
  // Ends by close() or cancellation.
  base::Task<void> run();
  void close();
  Endpoint endpoint() const;

 private:
  using Acceptor = asio::basic_socket_acceptor<Tcp, Executor>;
  Acceptor acceptor_;
  Executor executor_;
  base::Timer& timer_;
  Take take_;
};

}  // namespace granary::gateway
