#include "base/os/peer_end.h"

#include <poll.h>

namespace granary::base::os {

PeerEnd peer_end(int fd) {
  pollfd look{.fd = fd, .events = POLLRDHUP, .revents = 0};
  if (::poll(&look, 1, 0) <= 0) return PeerEnd::Open;
  if ((look.revents & (POLLERR | POLLHUP | POLLNVAL)) != 0) return PeerEnd::Gone;
  return (look.revents & POLLRDHUP) != 0 ? PeerEnd::SaidAll : PeerEnd::Open;
}

}  // namespace granary::base::os
