// Listening TCP sockets, made in one process and perhaps used in another. Any thread; nothing
// blocks. Accepting is Asio's.
#pragma once

#include <cstdint>
#include <string>

#include "base/os/fd.h"
#include "base/result.h"

namespace granary::base::os {

// `address` is an IP address, not a name; port 0: any. Does not block, close-on-exec; the address
// may be taken again at once after its last holder has ended. Errors: InvalidArgument (no IP
// address), Conflict (taken by another program), Refused (a port that needs root), Unavailable
// (not of this machine, or not yet).
Result<Fd> listen_tcp(const std::string& address, std::uint16_t port, int backlog);

bool is_ip_address(const std::string& text);

enum class IpVersion { V4, V6 };
// Of a socket that listens for TCP. Errors: InvalidArgument for anything else.
Result<IpVersion> tcp_listener_version(int socket);

}  // namespace granary::base::os
