// On which TCP ports the processes of a network namespace listen. Any thread; nothing blocks.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string_view>
#include <vector>

namespace granary::base::os {

// Of the namespace that process `pid` lives in, sorted, each once; empty when it has ended.
std::vector<std::uint16_t> listening_ports(pid_t pid);

// The listening ones of /proc/PID/net/tcp or tcp6 (proc_net_tcp.txt of the kernel's documentation).
std::vector<std::uint16_t> parse_listening_ports(std::string_view table);

}  // namespace granary::base::os
