#include "base/os/tcp_listener.h"

#include <sys/socket.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "base/async.h"
#include "base/log.h"
#include "base/os/syscall.h"

namespace granary::base::os {
namespace {

using Tcp = asio::ip::tcp;

const ErrorCode kNotOurs{EADDRNOTAVAIL, boost::system::system_category()};

Code code_of(const ErrorCode& error) {
  if (error == asio::error::address_in_use) return Code::Conflict;
  if (error == asio::error::access_denied) return Code::Refused;
  return Code::Unavailable;
}

const char* advice_for(const ErrorCode& error) {
  if (error == kNotOurs) return "Choose an address that this machine has (ip address lists them)";
  if (error == asio::error::access_denied)
    return "Start it as root for a port below 1024, or choose another port";
  return "Choose another address or port, or stop the program that has it (ss -ltnp names it)";
}

Result<int> option(int socket, int name) {
  int value = 0;
  socklen_t size = sizeof value;
  TRY(checked("getsockopt", "a listener",
              [&] { return ::getsockopt(socket, SOL_SOCKET, name, &value, &size); }));
  return value;
}

}  // namespace

Result<Fd> listen_tcp(const std::string& address, std::uint16_t port, int backlog) {
  ErrorCode error;
  const auto parsed = asio::ip::make_address(address, error);
  if (error)
    return fail(Code::InvalidArgument, "'{}' is not a valid IP address", log::escape(address));
  const Tcp::endpoint where(parsed, port);
  asio::io_context context;
  Tcp::acceptor acceptor(context);
  acceptor.open(where.protocol(), error);
  if (!error) acceptor.set_option(asio::socket_base::reuse_address(true), error);
  if (!error) acceptor.bind(where, error);
  if (!error) acceptor.listen(backlog, error);
  if (!error) acceptor.non_blocking(true, error);
  Fd made(error ? -1 : acceptor.release(error));
  if (!error) return made;
  return fail_with_advice(code_of(error),
                          fmt::format("cannot listen on {}:{}: {}", address, port, error.message()),
                          advice_for(error));
}

bool is_ip_address(const std::string& text) {
  ErrorCode error;
  (void)asio::ip::make_address(text, error);
  return !error;
}

Result<IpVersion> tcp_listener_version(int socket) {
  TRY_ASSIGN(const int listening, option(socket, SO_ACCEPTCONN));
  TRY_ASSIGN(const int domain, option(socket, SO_DOMAIN));
  TRY_ASSIGN(const int protocol, option(socket, SO_PROTOCOL));
  if (listening != 0 && protocol == IPPROTO_TCP && domain == AF_INET) return IpVersion::V4;
  if (listening != 0 && protocol == IPPROTO_TCP && domain == AF_INET6) return IpVersion::V6;
  return fail(Code::InvalidArgument, "descriptor {} is no socket that listens for TCP", socket);
}

}  // namespace granary::base::os
