#include "base/os/unix_socket.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>

#include "base/os/file.h"
#include "base/os/syscall.h"

namespace granary::base::os {
namespace {

// Fills `address`; a path that is too long is reached through a descriptor of its folder, which
// `folder` keeps open meanwhile.
Result<void> name_socket(const std::string& path, sockaddr_un& address, Fd& folder) {
  std::string shorter = path;
  if (path.size() >= sizeof(address.sun_path)) {
    const std::size_t slash = path.rfind('/');
    TRY_ASSIGN(folder, open_file(path.substr(0, slash), O_PATH | O_DIRECTORY, 0));
    shorter = fmt::format("/proc/self/fd/{}{}", folder.get(), path.substr(slash));
  }
  if (shorter.size() >= sizeof(address.sun_path))
    return fail(Code::InvalidArgument, "the socket's name is too long: {}", path);
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, shorter.c_str(), shorter.size() + 1);
  return {};
}

}  // namespace

Result<UnixConnection> connect_unix(const std::string& path) {
  sockaddr_un address = {};
  Fd folder;
  if (auto named = name_socket(path, address, folder); !named) {
    if (named.error().code == Code::NotFound) return UnixConnection{};
    return std::unexpected(std::move(named).error());
  }
  TRY_ASSIGN(const int fd, checked("socket", path, [] {
               return ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
             }));
  Fd socket(fd);
  const auto* where = reinterpret_cast<const sockaddr*>(&address);
  int result = 0;
  do {
    result = ::connect(fd, where, sizeof(address));
  } while (result < 0 && errno == EINTR);
  if (result == 0) return UnixConnection{Connecting::Done, std::move(socket)};
  if (errno == ENOENT || errno == ECONNREFUSED || errno == ENOTDIR) return UnixConnection{};
  if (errno == EAGAIN) return UnixConnection{Connecting::Busy, {}};
  return std::unexpected(from_errno(errno, "connect", path));
}

Result<std::size_t> unread_by_peer(int fd) {
  int bytes = 0;
  TRY(checked("ioctl", "SIOCOUTQ", [&] { return ::ioctl(fd, TIOCOUTQ, &bytes); }));
  return static_cast<std::size_t>(bytes);
}

}  // namespace granary::base::os
