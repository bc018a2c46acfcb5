// The silo's own door and what comes in by it: both sockets were made on the host's side, and
// carry what the kernel attaches to where they were made.
#include <fcntl.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>

#include "walls/attempt.h"
#include "walls/judge.h"
#include "walls/knowledge.h"

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

namespace granary::walls {
namespace {

constexpr const char* kTopic = "the silo's door";
constexpr int kListener = 3;
// PIDFD_GET_NET_NAMESPACE, PIDFD_GET_MNT_NAMESPACE (linux/pidfd.h, newer than Debian's headers).
constexpr unsigned long kGetNetNamespace = 0xff04;
constexpr unsigned long kGetMountNamespace = 0xff03;

int connection(const Knowledge& known) { return static_cast<int>(known.number("connection", -1)); }

bool is_socket(int fd) {
  struct stat status{};
  return ::fstat(fd, &status) == 0 && S_ISSOCK(status.st_mode);
}

using OnSocket = Answer (*)(int fd);
Answer on_listener(OnSocket act) {
  return is_socket(kListener) ? act(kListener) : inapplicable("descriptor 3 is no listener");
}
Answer on_connection(const Knowledge& known, OnSocket act) {
  const int fd = connection(known);
  return is_socket(fd) ? act(fd) : inapplicable("there is no connection");
}

// Interfaces of the network that the socket was made in, with their addresses.
Answer interfaces(int fd) {
  ifreq found[16];
  ifconf request{};
  request.ifc_len = sizeof found;
  request.ifc_req = found;
  if (::ioctl(fd, SIOCGIFCONF, &request) != 0) return refused("ioctl SIOCGIFCONF");
  std::string names;
  const std::size_t count = static_cast<std::size_t>(request.ifc_len) / sizeof(ifreq);
  for (std::size_t i = 0; i < std::min(count, std::size(found)); ++i) {
    const std::string name(found[i].ifr_name, ::strnlen(found[i].ifr_name, IFNAMSIZ));
    if (name != "lo") names += " " + name;
  }
  return names.empty() ? held("ioctl SIOCGIFCONF shows lo alone")
                       : broken("ioctl SIOCGIFCONF shows the host's" + names);
}

Answer interface_names(int fd) {
  for (int index = 1; index < 64; ++index) {
    ifreq request{};
    request.ifr_ifindex = index;
    if (::ioctl(fd, SIOCGIFNAME, &request) != 0) continue;
    const std::string name(request.ifr_name, ::strnlen(request.ifr_name, IFNAMSIZ));
    if (name != "lo") return broken("ioctl SIOCGIFNAME shows the host's " + name);
  }
  return held("ioctl SIOCGIFNAME: none but lo");
}

// Taking down an interface that does not exist: refused before or after the privilege is checked.
Answer interface_down(int fd) {
  ifreq request{};
  std::strncpy(request.ifr_name, "granary-none", IFNAMSIZ - 1);
  return judge_privileged("ioctl SIOCSIFFLAGS", ::ioctl(fd, SIOCSIFFLAGS, &request));
}

Answer network_of(int fd) { return judge("ioctl SIOCGSKNS", ::ioctl(fd, SIOCGSKNS)); }

Answer force_buffer(int fd) {
  const int bytes = 1 << 30;
  return judge("setsockopt SO_RCVBUFFORCE",
               ::setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes));
}

Answer name_of(int fd, const Knowledge& known) {
  sockaddr_un address{};
  socklen_t size = sizeof address;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0)
    return refused("getsockname");
  const std::string name(address.sun_path, ::strnlen(address.sun_path, sizeof address.sun_path));
  const bool tells = (known.has("self") && name.find(known.get("self")) != std::string::npos) ||
                     name.find("/silo/") != std::string::npos;
  return tells ? broken("getsockname: " + name) : held("getsockname: " + name);
}

Answer change_owner(int fd) { return judge("fchown", ::fchown(fd, ::getuid(), ::getgid())); }

Answer peer_descriptor(int fd, int& pidfd) {
  socklen_t size = sizeof pidfd;
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &size) != 0)
    return refused("getsockopt SO_PEERPIDFD");
  return broken("getsockopt SO_PEERPIDFD: done");
}

Answer signal_peer(int fd) {
  int pidfd = -1;
  if (Answer none = peer_descriptor(fd, pidfd); pidfd < 0) return none;
  return judge("pidfd_send_signal", ::syscall(SYS_pidfd_send_signal, pidfd, 0, nullptr, 0));
}

template <unsigned long Request>
Answer namespace_of_peer(int fd) {
  int pidfd = -1;
  if (Answer none = peer_descriptor(fd, pidfd); pidfd < 0) return none;
  return judge("ioctl on the peer's pidfd", ::ioctl(pidfd, Request, 0));
}

Answer take_from_peer(int fd) {
  int pidfd = -1;
  if (Answer none = peer_descriptor(fd, pidfd); pidfd < 0) return none;
  return judge("pidfd_getfd", ::syscall(SYS_pidfd_getfd, pidfd, 0, 0));
}

// Its number outside, by which it could be told from others.
Answer number_of_peer(int fd) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0)
    return refused("getsockopt SO_PEERCRED");
  return peer.pid == 0 ? held("SO_PEERCRED: process 0")
                       : broken("SO_PEERCRED: process " + std::to_string(peer.pid));
}

int connect_to(int fd, std::string_view name) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path + 1, name.data(), name.size());
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  return ::connect(fd, reinterpret_cast<const sockaddr*>(&address), size);
}

// The socket itself is in use, but before the kernel says so it looks the name up, in the network
// that the socket was made in: the error tells whether there is such a name on the host.
Answer probe_names(int fd, const Knowledge& known) {
  const std::string name = known.get("host_abstract");
  if (name.empty() || name.size() > 100) return inapplicable("host_abstract is not known");
  if (connect_to(fd, name) == 0) return broken("connect " + name + ": connected");
  const std::string there = error_name();
  if (connect_to(fd, "granary-attack-nowhere") == 0) return broken("connect: connected");
  const std::string nowhere = error_name();
  if (there == nowhere) return held("connect: " + there + ", whatever the name");
  return broken("connect: " + there + " for a name of the host, " + nowhere + " for another");
}

constexpr Attempt kAttempts[] = {
    {"listener-interfaces", kTopic, "ask the listener for the host's network addresses",
     [](const Knowledge&) { return on_listener(interfaces); }},
    {"listener-interface-names", kTopic, "ask the listener for the host's network interfaces",
     [](const Knowledge&) { return on_listener(interface_names); }},
    {"listener-interface-down", kTopic, "take a network interface down through the listener",
     [](const Knowledge&) { return on_listener(interface_down); }},
    {"listener-network", kTopic, "have the listener's network namespace opened",
     [](const Knowledge&) { return on_listener(network_of); }},
    {"listener-buffer", kTopic, "take more of the kernel's memory than allowed",
     [](const Knowledge&) { return on_listener(force_buffer); }},
    {"listener-owner", kTopic, "become the listener's owner",
     [](const Knowledge&) { return on_listener(change_owner); }},
    {"listener-names", kTopic, "learn from the listener which abstract sockets the host has",
     [](const Knowledge& known) {
       return is_socket(kListener) ? probe_names(kListener, known)
                                   : inapplicable("descriptor 3 is no listener");
     }},
    {"listener-name", kTopic, "learn the own account's id from the listener's name",
     [](const Knowledge& known) {
       return is_socket(kListener) ? name_of(kListener, known)
                                   : inapplicable("descriptor 3 is no listener");
     }},
    {"connection-interfaces", kTopic, "ask the gateway's connection for network addresses",
     [](const Knowledge& known) { return on_connection(known, interfaces); }},
    {"connection-interface-down", kTopic, "take an interface down through the connection",
     [](const Knowledge& known) { return on_connection(known, interface_down); }},
    {"connection-network", kTopic, "have the connection's network namespace opened",
     [](const Knowledge& known) { return on_connection(known, network_of); }},
    {"connection-names", kTopic, "learn the same from the gateway's connection",
     [](const Knowledge& known) {
       return is_socket(connection(known)) ? probe_names(connection(known), known)
                                           : inapplicable("there is no connection");
     }},
    {"gateway-number", kTopic, "learn the gateway's process number",
     [](const Knowledge& known) { return on_connection(known, number_of_peer); }},
    {"gateway-signal", kTopic, "signal the gateway through its connection",
     [](const Knowledge& known) { return on_connection(known, signal_peer); }},
    {"gateway-descriptor", kTopic, "take a descriptor of the gateway through its connection",
     [](const Knowledge& known) { return on_connection(known, take_from_peer); }},
    {"gateway-network", kTopic, "open the gateway's network namespace through its connection",
     [](const Knowledge& known) {
       return on_connection(known, namespace_of_peer<kGetNetNamespace>);
     }},
    {"gateway-mounts", kTopic, "open the gateway's mount namespace through its connection",
     [](const Knowledge& known) {
       return on_connection(known, namespace_of_peer<kGetMountNamespace>);
     }},
};

}  // namespace

std::span<const Attempt> door_attempts() { return kAttempts; }

}  // namespace granary::walls
