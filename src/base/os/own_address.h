// Whether an IP address belongs to this machine, so that nobody is led to its own services by a
// name. Asked anew each time: addresses come and go. Any thread; does not block.
#pragma once

#include <boost/asio/ip/address.hpp>

namespace granary::base::os {

// Tried by binding to it, which also knows broadcast addresses and whole blocks routed to this
// machine. Where net.ipv4.ip_nonlocal_bind is set, every address is taken for an own one.
bool is_own_address(const boost::asio::ip::address& address);

}  // namespace granary::base::os
