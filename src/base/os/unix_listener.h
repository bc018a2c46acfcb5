// Listening unix stream sockets, and who is at the other end of a connection. Any thread; nothing
// blocks.
#pragma once

#include <sys/types.h>

#include <string>

#include "base/os/fd.h"
#include "base/os/file.h"
#include "base/result.h"

namespace granary::base::os {

struct ListenOptions {
  mode_t mode = 0660;
  Ownership owner{0, 0};
  int backlog = 1024;
};
// Bound under a name beside it and renamed: whoever sees `path` can connect. Replaces what is
// there. Blocking mode, close-on-exec. Errors: NotFound (no folder), InvalidArgument (too long).
Result<Fd> listen_unix(const std::string& path, const ListenOptions& options);

// Whether connections wait to be accepted.
bool connections_queued(int listener);
// How many, those that their clients have closed since included. From sock_diag(7), so only for a
// listener of the caller's network namespace. Errors: NotSupported (a kernel without it), NotFound.
Result<std::uint32_t> connections_waiting(int listener);

struct PeerIdentity {
  pid_t pid = 0;
  uid_t uid = 0;
  gid_t gid = 0;
};
Result<PeerIdentity> peer_identity(int socket);

}  // namespace granary::base::os
