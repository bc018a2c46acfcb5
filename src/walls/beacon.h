// What the victim holds out to be found: sockets, shared memory, queues, files, one of which it
// keeps opening. The attacker looks for each, so that "held" means that something was there. Lives
// in a process of its own, until the silo ends.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace granary::walls {

inline constexpr const char* kBeaconName = "@granary-attack-beacon";
inline constexpr std::uint16_t kBeaconPort = 47'113;
inline constexpr int kBeaconKey = 0x6772616e;
inline constexpr const char* kBeaconQueue = "/granary-attack-beacon";
inline constexpr const char* kBeaconFiles[] = {"/tmp/granary-attack-beacon",
                                               "/dev/shm/granary-attack-beacon"};
// All silos of a release share it; the victim opens it again and again, as a watcher would notice.
inline constexpr const char* kSharedFile = "/app/granary.yaml";
inline constexpr std::size_t kBeaconBytes = 4096;

// Never returns: lights all of it and goes on until killed. `ready`: a descriptor that is
// told "lit", and closed, once that is done.
[[noreturn]] void hold_beacons(std::string_view marker, int ready);
// In a process of its own, which is left to itself; returns when everything is lit. Its number.
int light_beacons(std::string_view marker);

}  // namespace granary::walls
