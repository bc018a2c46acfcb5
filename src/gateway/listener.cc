#include "gateway/listener.h"

#include "base/log.h"
#include "base/os/tcp_listener.h"

namespace granary::gateway {

base::Result<void> Listener::open(const Endpoint& endpoint) {
  TRY_ASSIGN(base::os::Fd socket, base::os::listen_tcp(endpoint.address, endpoint.port, kBacklog));
  return adopt(std::move(socket));
}

base::Result<void> Listener::adopt(base::os::Fd socket) {
  TRY_ASSIGN(const auto version, base::os::tcp_listener_version(socket.get()));
  ErrorCode error;
  acceptor_.assign(version == base::os::IpVersion::V4 ? Tcp::v4() : Tcp::v6(), socket.get(), error);
  if (!error) (void)socket.release();
  if (!error) acceptor_.non_blocking(true, error);
  if (error) return base::fail(base::Code::Unavailable, "cannot listen: {}", error.message());
  return {};
}

base::Task<void> Listener::run() {
  for (;;) {
    ErrorCode error;
    co_await acceptor_.async_wait(asio::socket_base::wait_read, base::into(error));
    while (!error) {
      Tcp::endpoint peer;
      TcpSocket socket(executor_);
      acceptor_.accept(socket, peer, error);
      if (!error) take_(std::move(socket), peer);
    }
    if (error == asio::error::would_block || error == asio::error::connection_aborted) continue;
    if (error == asio::error::operation_aborted || !acceptor_.is_open()) co_return;
    base::log::warn("accept: {}", error.message());
    if (!co_await timer_.sleep(kAcceptPause)) co_return;
  }
}

void Listener::close() {
  ErrorCode ignored;
  acceptor_.close(ignored);
}

Endpoint Listener::endpoint() const {
  ErrorCode ignored;
  const Tcp::endpoint where = acceptor_.local_endpoint(ignored);
  return {where.address().to_string(), where.port()};
}

}  // namespace granary::gateway
