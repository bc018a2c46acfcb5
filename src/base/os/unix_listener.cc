#include "base/os/unix_listener.h"

#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
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

namespace {

struct QueueQuestion {
  nlmsghdr head;
  unix_diag_req body;
};

Result<std::uint32_t> queue_in(const char* bytes, std::size_t size) {
  const auto* head = reinterpret_cast<const nlmsghdr*>(bytes);
  if (size < sizeof *head || head->nlmsg_len > size)
    return fail(Code::Internal, "sock_diag gave a part of an answer");
  if (head->nlmsg_type == NLMSG_ERROR) {
    const auto* error = static_cast<const nlmsgerr*>(NLMSG_DATA(head));
    return std::unexpected(from_errno(-error->error, "sock_diag", "a unix listener"));
  }
  const auto* message = static_cast<const unix_diag_msg*>(NLMSG_DATA(head));
  int left = static_cast<int>(head->nlmsg_len - NLMSG_LENGTH(sizeof *message));
  const auto* attribute = reinterpret_cast<const rtattr*>(message + 1);
  for (; RTA_OK(attribute, left); attribute = RTA_NEXT(attribute, left)) {
    if (attribute->rta_type != UNIX_DIAG_RQLEN) continue;
    unix_diag_rqlen length{};
    std::memcpy(&length, RTA_DATA(attribute), sizeof length);
    return length.udiag_rqueue;
  }
  return fail(Code::NotSupported, "this kernel does not tell the length of a listener's queue");
}

}  // namespace

Result<std::uint32_t> connections_waiting(int listener) {
  struct stat status{};
  TRY(checked("fstat", "a listener", [&] { return ::fstat(listener, &status); }));
  TRY_ASSIGN(const int raw, checked("socket", "sock_diag", [] {
               return ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
             }));
  const Fd socket(raw);
  QueueQuestion question{};
  question.head = {.nlmsg_len = sizeof question,
                   .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                   .nlmsg_flags = NLM_F_REQUEST,
                   .nlmsg_seq = 1,
                   .nlmsg_pid = 0};
  question.body.sdiag_family = AF_UNIX;
  question.body.udiag_states = ~0U;
  question.body.udiag_ino = static_cast<std::uint32_t>(status.st_ino);
  question.body.udiag_show = UDIAG_SHOW_RQLEN;
  question.body.udiag_cookie[0] = question.body.udiag_cookie[1] = ~0U;
  TRY(checked("send", "sock_diag",
              [&] { return ::send(socket.get(), &question, sizeof question, 0); }));
  alignas(nlmsghdr) char answer[1024];
  TRY_ASSIGN(const ssize_t got, checked("recv", "sock_diag", [&] {
               return ::recv(socket.get(), answer, sizeof answer, 0);
             }));
  return queue_in(answer, static_cast<std::size_t>(got));
}

Result<PeerIdentity> peer_identity(int socket) {
  ucred credentials{};
  socklen_t size = sizeof credentials;
  TRY(checked("getsockopt", "SO_PEERCRED",
              [&] { return ::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size); }));
  return PeerIdentity{credentials.pid, credentials.uid, credentials.gid};
}

}  // namespace granary::base::os
