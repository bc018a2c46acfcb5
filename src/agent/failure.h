// Why a service failed, in words for the person who has to repair it: what happened, what it said
// last, what to do. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "agent/silo_launcher.h"

namespace granary::agent {

std::string describe_end(const SiloEnd& end, const wire::ServiceSpec& spec);
// A service that may have gone on in spite of it.
std::string describe_process_limit(std::uint64_t processes);
// It ran, but nobody in it accepted a connection, on its port or on descriptor 3. `ports`: those
// that it listens on instead.
std::string describe_silence(const wire::ServiceSpec& spec,
                             const std::vector<std::uint16_t>& ports);

}  // namespace granary::agent
