#include "walls/reach.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "walls/judge.h"

namespace granary::walls {
namespace {

constexpr int kPatienceMs = 1'000;
constexpr std::size_t kMostHeard = 200;

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;
  int family = AF_INET;
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

Address address_of(const std::string& text, std::uint16_t port) {
  Address address;
  sockaddr_in v4{};
  sockaddr_in6 v6{};
  if (::inet_pton(AF_INET, text.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    std::memcpy(&address.storage, &v4, sizeof v4);
    address.size = sizeof v4;
  } else if (::inet_pton(AF_INET6, text.c_str(), &v6.sin6_addr) == 1) {
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    v6.sin6_scope_id = 1;
    std::memcpy(&address.storage, &v6, sizeof v6);
    address.size = sizeof v6;
    address.family = AF_INET6;
  }
  return address;
}

// 0, or -1 and errno; ETIMEDOUT when nobody said anything.
int connect_patiently(int fd, const sockaddr* address, socklen_t size) {
  if (::connect(fd, address, size) == 0) return 0;
  if (errno != EINPROGRESS) return -1;
  pollfd watched{fd, POLLOUT, 0};
  if (::poll(&watched, 1, kPatienceMs) <= 0) {
    errno = ETIMEDOUT;
    return -1;
  }
  int error = 0;
  socklen_t length = sizeof error;
  (void)::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length);
  errno = error;
  return error == 0 ? 0 : -1;
}

std::string heard_from(int fd) {
  char text[kMostHeard];
  pollfd watched{fd, POLLIN, 0};
  if (::poll(&watched, 1, kPatienceMs) <= 0) return "";
  const ssize_t count = ::recv(fd, text, sizeof text, MSG_DONTWAIT);
  return count > 0 ? ", heard " + std::string(text, static_cast<std::size_t>(count)) : "";
}

bool no_way_out(int error) {
  constexpr std::array kNoWay = {ENETUNREACH, EADDRNOTAVAIL, EAFNOSUPPORT, EPERM, EACCES};
  return std::ranges::find(kNoWay, error) != kNoWay.end();
}

Answer connect_to(const std::string& to, std::uint16_t port, bool local) {
  const std::string call = "connect " + to + ":" + std::to_string(port);
  const Address address = address_of(to, port);
  const int fd = ::socket(address.family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return refused("socket");
  if (connect_patiently(fd, address.get(), address.size) == 0)
    return broken(call + ": connected" + (local ? heard_from(fd) : ""));
  if (local || no_way_out(errno)) return refused(call);
  return broken(call + ": " + error_name() + ", so something was sent");
}

}  // namespace

Answer reach_local(const std::string& address, std::uint16_t port) {
  return connect_to(address, port, true);
}

Answer reach_outside(const std::string& address, std::uint16_t port) {
  return connect_to(address, port, false);
}

Answer send_outside(const std::string& to, std::uint16_t port) {
  const Address address = address_of(to, port);
  const int fd = ::socket(address.family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return refused("socket");
  const int on = 1;
  (void)::setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof on);
  const std::string call = "sendto " + to + ":" + std::to_string(port);
  return judge(call, ::sendto(fd, "x", 1, MSG_DONTWAIT, address.get(), address.size));
}

Answer reach_unix(const std::string& name) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (name.size() >= sizeof address.sun_path) return inapplicable("the name is too long");
  std::memcpy(address.sun_path, name.data(), name.size());
  socklen_t size = sizeof address;
  if (name.starts_with('@')) {
    address.sun_path[0] = '\0';
    size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
  }
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return refused("socket");
  if (connect_patiently(fd, reinterpret_cast<const sockaddr*>(&address), size) != 0)
    return refused("connect " + name);
  return broken("connect " + name + ": connected" + heard_from(fd));
}

Answer try_socket(const char* what, int family, int type, int protocol) {
  const std::string call = std::string("socket ") + what;
  const int fd = ::socket(family, type | SOCK_CLOEXEC, protocol);
  if (fd >= 0) {
    ::close(fd);
    return broken(call + ": done");
  }
  if (errno == EAFNOSUPPORT || errno == EPROTONOSUPPORT || errno == ESOCKTNOSUPPORT)
    return inapplicable(call + ": " + error_name());
  return refused(call);
}

}  // namespace granary::walls
