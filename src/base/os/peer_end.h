// Whether the peer of a stream socket is still there, as far as that can be known without reading:
// also where bytes wait that nobody has read yet. Any thread.
#pragma once

namespace granary::base::os {

enum class PeerEnd {
  Open,
  SaidAll,  // it sends nothing more, but may still read; or it is gone, and only writing would tell
  Gone,     // reset, or ended in both directions
};
PeerEnd peer_end(int fd);

}  // namespace granary::base::os
