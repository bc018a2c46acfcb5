#include "gateway/listener.h"

#include <boost/asio/ip/address.hpp>

#include "base/log.h"

namespace granary::gateway {

using base::Code;

base::Result<void> Listener::open(const Endpoint& endpoint) {
  ErrorCode error;
  const auto address = asio::ip::make_address(endpoint.address, error);
  if (error)
    return base::fail(Code::InvalidArgument, "'{}' is no IP address",
                      base::log::escape(endpoint.address));
  const Tcp::endpoint where(address, endpoint.port);
  acceptor_.open(where.protocol(), error);
  if (!error) acceptor_.set_option(asio::socket_base::reuse_address(true), error);
  if (!error) acceptor_.bind(where, error);
  if (!error) acceptor_.listen(kBacklog, error);
  if (!error) acceptor_.non_blocking(true, error);
  if (!error) return {};
  Code code = Code::Unavailable;
  if (error == asio::error::address_in_use) code = Code::Conflict;
  if (error == asio::error::access_denied) code = Code::Refused;
  return base::fail_with_advice(
      code,
      fmt::format("cannot listen on {}:{}: {}", endpoint.address, endpoint.port, error.message()),
      "Choose another address or port, or stop the program that has it");
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
