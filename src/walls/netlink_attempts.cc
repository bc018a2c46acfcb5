// The kernel's own protocol: changing the network, hearing what the kernel tells its friends.
#include <arpa/inet.h>
#include <linux/audit.h>
#include <linux/cn_proc.h>
#include <linux/connector.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "walls/attempt.h"
#include "walls/judge.h"
#include "walls/knowledge.h"
#include "walls/look.h"

namespace granary::walls {
namespace {

constexpr const char* kTopic = "netlink";
constexpr int kPatienceMs = 1'500;

struct Request {
  nlmsghdr head{};
  char body[128] = {};

  template <class Part>
  void add(const Part& part) {
    std::memcpy(reinterpret_cast<char*>(this) + head.nlmsg_len, &part, sizeof part);
    head.nlmsg_len += NLMSG_ALIGN(sizeof part);
  }
  void add_attribute(unsigned short type, const void* data, std::size_t size) {
    const rtattr attribute{static_cast<unsigned short>(RTA_LENGTH(size)), type};
    char* at = reinterpret_cast<char*>(this) + head.nlmsg_len;
    std::memcpy(at, &attribute, sizeof attribute);
    std::memcpy(at + RTA_LENGTH(0), data, size);
    head.nlmsg_len += RTA_SPACE(static_cast<unsigned>(size));
  }
};

Request request_of(unsigned short type, unsigned flags) {
  Request request;
  request.head.nlmsg_len = NLMSG_HDRLEN;
  request.head.nlmsg_type = type;
  request.head.nlmsg_flags = static_cast<unsigned short>(NLM_F_REQUEST | flags);
  return request;
}

// 0, or -1 and the error that the kernel answered.
int ask(int protocol, const Request& request) {
  const int fd = ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
  if (fd < 0) return -1;
  if (::send(fd, &request, request.head.nlmsg_len, 0) < 0) return -1;
  alignas(nlmsghdr) char answer[4096];
  pollfd watched{fd, POLLIN, 0};
  if (::poll(&watched, 1, kPatienceMs) <= 0) {
    errno = ETIMEDOUT;
    return -1;
  }
  const ssize_t count = ::recv(fd, answer, sizeof answer, 0);
  ::close(fd);
  if (count < static_cast<ssize_t>(NLMSG_LENGTH(sizeof(nlmsgerr)))) return 0;
  const auto* head = reinterpret_cast<const nlmsghdr*>(answer);
  if (head->nlmsg_type != NLMSG_ERROR) return 0;
  nlmsgerr error{};
  std::memcpy(&error, answer + NLMSG_HDRLEN, sizeof error);
  errno = -error.error;
  return error.error == 0 ? 0 : -1;
}

// To an interface that does not exist, so that only the privilege is asked for.
constexpr int kNoInterface = 9'999;

Answer add_address() {
  Request request = request_of(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK);
  ifaddrmsg body{};
  body.ifa_family = AF_INET;
  body.ifa_prefixlen = 32;
  body.ifa_index = kNoInterface;
  request.add(body);
  const in_addr address{htonl(0x0a636363)};
  request.add_attribute(IFA_LOCAL, &address, sizeof address);
  return judge_privileged("RTM_NEWADDR", ask(NETLINK_ROUTE, request));
}

Answer add_route() {
  Request request = request_of(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK);
  rtmsg body{};
  body.rtm_family = AF_INET;
  body.rtm_table = RT_TABLE_MAIN;
  body.rtm_type = RTN_UNICAST;
  body.rtm_scope = RT_SCOPE_LINK;
  request.add(body);
  request.add_attribute(RTA_OIF, &kNoInterface, sizeof kNoInterface);
  return judge_privileged("RTM_NEWROUTE", ask(NETLINK_ROUTE, request));
}

Answer set_link() {
  Request request = request_of(RTM_SETLINK, NLM_F_ACK);
  ifinfomsg body{};
  body.ifi_index = kNoInterface;
  body.ifi_change = IFF_UP;
  request.add(body);
  return judge_privileged("RTM_SETLINK", ask(NETLINK_ROUTE, request));
}

// Anything that this kind of socket is told without asking.
Answer overhear(const char* what, int protocol, unsigned groups) {
  const std::string call = std::string("netlink ") + what;
  const int fd = ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
  if (fd < 0) return refused("socket " + call);
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = groups;
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return refused("bind " + call);
  pollfd watched{fd, POLLIN, 0};
  char text[512];
  if (::poll(&watched, 1, kPatienceMs) <= 0) return held(call + " said nothing");
  const ssize_t count = ::recv(fd, text, sizeof text, MSG_DONTWAIT);
  return count > 0 ? broken(call + " told of the host") : refused("recv " + call);
}

// Each start and end of a process on the host, which must be asked for.
Answer overhear_processes() {
  const int fd = ::socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_CONNECTOR);
  if (fd < 0) return refused("socket NETLINK_CONNECTOR");
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = CN_IDX_PROC;
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return refused("bind NETLINK_CONNECTOR");
  Request request = request_of(NLMSG_DONE, 0);
  cn_msg body{};
  body.id = {CN_IDX_PROC, CN_VAL_PROC};
  body.len = sizeof(proc_cn_mcast_op);
  request.add(body);
  request.add(PROC_CN_MCAST_LISTEN);
  if (::send(fd, &request, request.head.nlmsg_len, 0) < 0) return refused("send");
  pollfd watched{fd, POLLIN, 0};
  char text[512];
  // The first answer only acknowledges.
  for (int i = 0; i < 2; ++i) {
    if (::poll(&watched, 1, kPatienceMs) <= 0) return held("process events: none came");
    if (::recv(fd, text, sizeof text, MSG_DONTWAIT) < 0) return refused("recv");
  }
  return broken("process events of the host came");
}

Answer other_interfaces() {
  std::string found;
  for (const auto* name = ::if_nameindex(); name != nullptr && name->if_index != 0; ++name) {
    if (std::string_view(name->if_name) != "lo") found += std::string(" ") + name->if_name;
  }
  return found.empty() ? held("there is lo alone") : broken("there is" + found);
}

// What listens on the gateway's port, asked from the kernel.
Answer diagnose(const Knowledge& known) {
  const int port = static_cast<int>(known.number("gateway_port", 8080));
  char wanted[16];
  (void)::snprintf(wanted, sizeof wanted, ":%04X ", static_cast<unsigned>(port));
  const std::string text = read_text("/proc/net/tcp");
  return text.find(wanted) == std::string::npos ? held("no socket on the gateway's port")
                                                : broken("/proc/net/tcp shows the gateway");
}

Answer read_audit() {
  Request request = request_of(AUDIT_GET, NLM_F_ACK);
  if (ask(NETLINK_AUDIT, request) == 0) return broken("AUDIT_GET: done");
  if (errno == EPROTONOSUPPORT) return held("socket NETLINK_AUDIT: EPROTONOSUPPORT");
  return refused("AUDIT_GET");
}

Answer set_mark() {
  const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return refused("socket");
  const int mark = 1;
  return judge("setsockopt SO_MARK", ::setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof mark));
}

Answer set_transparent() {
  const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return refused("socket");
  const int on = 1;
  return judge("setsockopt IP_TRANSPARENT",
               ::setsockopt(fd, IPPROTO_IP, IP_TRANSPARENT, &on, sizeof on));
}

// The network that our own sockets are made in; it would let us in again by setns.
Answer own_network() {
  const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return refused("socket");
  ifreq request{};
  std::strncpy(request.ifr_name, "granary-none", IFNAMSIZ - 1);
  return judge_privileged("ioctl SIOCSIFFLAGS", ::ioctl(fd, SIOCSIFFLAGS, &request));
}

constexpr Attempt kAttempts[] = {
    {"netlink-address", kTopic, "give a network interface an address",
     [](const Knowledge&) { return add_address(); }},
    {"netlink-route", kTopic, "add a route", [](const Knowledge&) { return add_route(); }},
    {"netlink-link", kTopic, "take a network interface up",
     [](const Knowledge&) { return set_link(); }},
    {"netlink-flags", kTopic, "the same by ioctl", [](const Knowledge&) { return own_network(); }},
    {"netlink-interfaces", kTopic, "find network interfaces besides loopback",
     [](const Knowledge&) { return other_interfaces(); }},
    {"netlink-uevents", kTopic, "hear which devices come and go on the host",
     [](const Knowledge&) { return overhear("uevents", NETLINK_KOBJECT_UEVENT, 1); }},
    {"netlink-udev", kTopic, "hear what the host's udev tells",
     [](const Knowledge&) { return overhear("udev", NETLINK_KOBJECT_UEVENT, 2); }},
    {"netlink-processes", kTopic, "hear which processes come and go on the host",
     [](const Knowledge&) { return overhear_processes(); }},
    {"netlink-audit", kTopic, "ask for the host's audit",
     [](const Knowledge&) { return read_audit(); }},
    {"netlink-diagnosis", kTopic, "find the gateway's sockets in /proc/net",
     [](const Knowledge& known) { return diagnose(known); }},
    {"socket-mark", kTopic, "mark packets past the host's rules",
     [](const Knowledge&) { return set_mark(); }},
    {"socket-transparent", kTopic, "send under the address of another",
     [](const Knowledge&) { return set_transparent(); }},
};

}  // namespace

std::span<const Attempt> netlink_attempts() { return kAttempts; }

}  // namespace granary::walls
