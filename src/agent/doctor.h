// What this machine can isolate, and how to mend what is missing: each thing is tried, not looked
// up. For `granary doctor`, and for `granary up` before it makes silos. Blocking; leaves nothing.
#pragma once

#include <string>
#include <vector>

#include "wire/paths.h"

namespace granary::agent {

enum class Need {
  Required,  // without it, no silos but with --isolation none
  Useful,    // something will be missing, or weaker
};
enum class Health { Well, Missing, Unknown };  // Unknown: it could not be looked at

struct Finding {
  std::string name;
  Need need = Need::Required;
  Health health = Health::Well;
  std::string detail;  // what was found
  std::string advice;  // what to do; empty when well
  bool operator==(const Finding&) const = default;
};

struct DoctorOptions {
  wire::Paths paths;         // the data directory, which need not exist yet
  std::string init_program;  // path of granary-init
  std::string bwrap = "/usr/bin/bwrap";
};

std::vector<Finding> examine(const DoctorOptions& options);
// Whether silos can be made in full.
bool can_isolate(const std::vector<Finding>& findings);

}  // namespace granary::agent
