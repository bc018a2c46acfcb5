// Unix stream sockets as Asio does not offer them: connecting without ever blocking, also where the
// path is longer than sockaddr_un can hold, and asking how much the peer has not read yet. For the
// gateway's way into the silos. Any thread.
#pragma once

#include <string>

#include "base/os/fd.h"
#include "base/result.h"

namespace granary::base::os {

enum class Connecting {
  Done,
  NobodyListens,  // no such socket, or one that nobody holds open
  Busy,           // the listener's queue is full: try again soon
};

struct UnixConnection {
  Connecting outcome = Connecting::NobodyListens;
  Fd fd;  // open for Done alone; does not block
};

// Errors: Refused, Exhausted, and whatever else is not one of the outcomes above.
Result<UnixConnection> connect_unix(const std::string& path);

// Bytes that were written to this socket and that its peer has not read.
Result<std::size_t> unread_by_peer(int fd);

}  // namespace granary::base::os
