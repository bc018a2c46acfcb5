// Why a service failed, in words for the person who has to mend it: what happened, what it said
// last, what to do. Pure.
#pragma once

#include <string>

#include "agent/silo_launcher.h"

namespace granary::agent {

std::string describe_end(const SiloEnd& end, const wire::ServiceSpec& spec);
// Port mode: it ran, but its port never accepted a connection.
std::string describe_silence(const wire::ServiceSpec& spec);

}  // namespace granary::agent
