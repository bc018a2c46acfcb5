#include "base/os/unix_listener.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

#include "base/os/syscall.h"

namespace granary::base::os {
namespace {

// Through a descriptor of the folder, so that only the socket's own name has to fit sockaddr_un.
Result<void> bind_in(const Fd& folder, const Fd& socket, const std::string& name) {
  const std::string where = fmt::format("/proc/self/fd/{}/{}", folder.get(), name);
  sockaddr_un address{};
  if (where.size() >= sizeof address.sun_path)
    return fail(Code::InvalidArgument, "the socket's name is too long: {}", name);
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, where.c_str(), where.size() + 1);
  TRY(checked("bind", name, [&] {
    return ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  }));
  return {};
}

}  // namespace

Result<Fd> listen_unix(const std::string& path, const ListenOptions& options) {
  const std::size_t slash = path.rfind('/');
  const std::string name = path.substr(slash + 1);
  const std::string beside = name + ".new";
  TRY_ASSIGN(const Fd folder, open_file(path.substr(0, slash), O_PATH | O_DIRECTORY, 0));
  TRY_ASSIGN(const int raw, checked("socket", path, [] {
               return ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
             }));
  Fd socket(raw);
  const int at = folder.get();
  if (::unlinkat(at, beside.c_str(), 0) != 0 && errno != ENOENT)
    return std::unexpected(from_errno(errno, "unlink", path));
  TRY(bind_in(folder, socket, beside));
  TRY(checked("chown", path, [&] {
    return ::fchownat(at, beside.c_str(), options.owner.uid, options.owner.gid,
                      AT_SYMLINK_NOFOLLOW);
  }));
  TRY(checked("chmod", path, [&] { return ::fchmodat(at, beside.c_str(), options.mode, 0); }));
  TRY(checked("listen", path, [&] { return ::listen(socket.get(), options.backlog); }));
  TRY(checked("rename", path, [&] { return ::renameat(at, beside.c_str(), at, name.c_str()); }));
  return socket;
}

bool connections_queued(int listener) {
  pollfd watched{listener, POLLIN, 0};
  return ::poll(&watched, 1, 0) > 0 && (watched.revents & POLLIN) != 0;
}

Result<PeerIdentity> peer_identity(int socket) {
  ucred credentials{};
  socklen_t size = sizeof credentials;
  TRY(checked("getsockopt", "SO_PEERCRED",
              [&] { return ::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size); }));
  return PeerIdentity{credentials.pid, credentials.uid, credentials.gid};
}

}  // namespace granary::base::os
