// Sockets of the host, of the platform and of the world.
#include <netinet/in.h>
#include <sys/socket.h>

#include <string>

#include "walls/attempt.h"
#include "walls/judge.h"
#include "walls/knowledge.h"
#include "walls/reach.h"

namespace granary::walls {
namespace {

constexpr const char* kTopic = "sockets";
constexpr std::uint16_t kDns = 53;
constexpr std::uint16_t kHttp = 80;

std::uint16_t port(const Knowledge& known, const char* key, long otherwise) {
  return static_cast<std::uint16_t>(known.number(key, otherwise));
}

constexpr Attempt kAttempts[] = {
    {"tcp-gateway", kTopic, "connect to the gateway",
     [](const Knowledge& known) {
       return reach_local("127.0.0.1", port(known, "gateway_port", 8080));
     }},
    {"tcp-api", kTopic, "connect to the API",
     [](const Knowledge& known) {
       return reach_local("127.0.0.1", port(known, "api_port", 8081));
     }},
    {"tcp-admin", kTopic, "connect to the gateway's metrics",
     [](const Knowledge& known) {
       return reach_local("127.0.0.1", port(known, "admin_port", 8082));
     }},
    {"tcp-host", kTopic, "connect to the host's own address",
     [](const Knowledge& known) {
       if (!known.has("host_address")) return inapplicable("host_address is not known");
       return reach_outside(known.get("host_address"), port(known, "gateway_port", 8080));
     }},
    {"tcp-loopback-ipv6", kTopic, "connect to the API over IPv6",
     [](const Knowledge& known) { return reach_local("::1", port(known, "api_port", 8081)); }},
    {"tcp-loopback-mapped", kTopic, "connect to the API by a mapped address",
     [](const Knowledge& known) {
       return reach_local("::ffff:127.0.0.1", port(known, "api_port", 8081));
     }},
    {"tcp-metadata", kTopic, "connect to the cloud's metadata",
     [](const Knowledge&) { return reach_outside("169.254.169.254", kHttp); }},
    {"tcp-metadata-ipv6", kTopic, "connect to the cloud's metadata over IPv6",
     [](const Knowledge&) { return reach_outside("fd00:ec2::254", kHttp); }},
    {"tcp-private", kTopic, "connect to a private network",
     [](const Knowledge&) { return reach_outside("10.0.0.1", kHttp); }},
    {"tcp-private-192", kTopic, "connect to a network of an office",
     [](const Knowledge&) { return reach_outside("192.168.0.1", kHttp); }},
    {"tcp-public", kTopic, "connect to the internet",
     [](const Knowledge&) { return reach_outside("8.8.8.8", kDns); }},
    {"tcp-public-ipv6", kTopic, "connect to the internet over IPv6",
     [](const Knowledge&) { return reach_outside("2001:4860:4860::8888", kDns); }},
    {"udp-dns", kTopic, "ask a name server on the internet",
     [](const Knowledge&) { return send_outside("8.8.8.8", kDns); }},
    {"udp-broadcast", kTopic, "send to all machines of the network",
     [](const Knowledge&) { return send_outside("255.255.255.255", 9); }},
    {"udp-multicast", kTopic, "send to a multicast group",
     [](const Knowledge&) { return send_outside("224.0.0.251", 5353); }},
    {"udp-multicast-ipv6", kTopic, "send to all nodes of the link",
     [](const Knowledge&) { return send_outside("ff02::1", 5353); }},
    {"unix-agent", kTopic, "connect to the agent",
     [](const Knowledge& known) { return reach_unix(known.data("/run/agent.sock")); }},
    {"unix-victim", kTopic, "connect to another silo's socket",
     [](const Knowledge& known) {
       const std::string service = known.has("service") ? known.get("service") : "attack";
       return reach_unix(known.data("/run/silo/" + known.get("victim") + "/" + service + ".sock"));
     }},
    {"unix-docker", kTopic, "connect to a container daemon",
     [](const Knowledge&) { return reach_unix("/run/docker.sock"); }},
    {"unix-dbus", kTopic, "connect to the host's message bus",
     [](const Knowledge&) { return reach_unix("/run/dbus/system_bus_socket"); }},
    {"unix-systemd", kTopic, "connect to the host's service manager",
     [](const Knowledge&) { return reach_unix("/run/systemd/private"); }},
    {"unix-log", kTopic, "write into the host's log",
     [](const Knowledge&) { return reach_unix("/dev/log"); }},
    {"socket-raw", kTopic, "send packets with headers of its own",
     [](const Knowledge&) { return try_socket("raw", AF_INET, SOCK_RAW, IPPROTO_RAW); }},
    {"socket-icmp", kTopic, "send ICMP",
     [](const Knowledge&) { return try_socket("raw ICMP", AF_INET, SOCK_RAW, IPPROTO_ICMP); }},
    {"socket-packet", kTopic, "send and read Ethernet frames",
     [](const Knowledge&) { return try_socket("AF_PACKET", AF_PACKET, SOCK_RAW, 0); }},
    {"socket-vsock", kTopic, "talk to the machine's host",
     [](const Knowledge&) { return try_socket("AF_VSOCK", AF_VSOCK, SOCK_STREAM, 0); }},
    {"socket-alg", kTopic, "use the kernel's cryptography",
     [](const Knowledge&) { return try_socket("AF_ALG", AF_ALG, SOCK_SEQPACKET, 0); }},
    {"socket-bluetooth", kTopic, "use Bluetooth",
     [](const Knowledge&) { return try_socket("AF_BLUETOOTH", AF_BLUETOOTH, SOCK_RAW, 1); }},
    {"socket-xdp", kTopic, "take packets from a network card",
     [](const Knowledge&) { return try_socket("AF_XDP", AF_XDP, SOCK_RAW, 0); }},
    {"socket-key", kTopic, "set the kernel's IPsec keys",
     [](const Knowledge&) { return try_socket("AF_KEY", AF_KEY, SOCK_RAW, 2); }},
    {"socket-can", kTopic, "use a CAN bus",
     [](const Knowledge&) { return try_socket("AF_CAN", AF_CAN, SOCK_RAW, 1); }},
    {"socket-tipc", kTopic, "use TIPC",
     [](const Knowledge&) { return try_socket("AF_TIPC", AF_TIPC, SOCK_RDM, 0); }},
    {"socket-rds", kTopic, "use RDS",
     [](const Knowledge&) { return try_socket("AF_RDS", AF_RDS, SOCK_SEQPACKET, 0); }},
    {"socket-kcm", kTopic, "use the kernel's connection multiplexor",
     [](const Knowledge&) { return try_socket("AF_KCM", AF_KCM, SOCK_DGRAM, 0); }},
    {"socket-smc", kTopic, "use shared memory communications",
     [](const Knowledge&) { return try_socket("AF_SMC", AF_SMC, SOCK_STREAM, 0); }},
};

}  // namespace

std::span<const Attempt> socket_attempts() { return kAttempts; }

}  // namespace granary::walls
