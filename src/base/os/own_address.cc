#include "base/os/own_address.h"

#include <sys/socket.h>

#include <boost/asio/ip/udp.hpp>

#include "base/os/fd.h"

namespace granary::base::os {

bool is_own_address(const boost::asio::ip::address& address) {
  const boost::asio::ip::udp::endpoint any_port(address, 0);
  const Fd socket(::socket(any_port.protocol().family(), SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket) return false;
  const auto size = static_cast<socklen_t>(any_port.size());
  return ::bind(socket.get(), any_port.data(), size) == 0;
}

}  // namespace granary::base::os
