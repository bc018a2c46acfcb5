// What a silo is started with: value types, made from an account's desired state.
#pragma once

#include <cstdint>
#include <string>

#include "base/ids.h"
#include "wire/account_state.h"
#include "wire/secrets.h"

namespace granary::agent {

struct SiloPlan {
  base::ServiceId service;
  std::uint32_t uid = 0;  // of the account on this machine; also its group
  wire::ServiceSpec spec;
  std::string release_hash;
  std::string release_name;
  std::string config_json;
  wire::Secrets secrets;
  std::uint32_t epoch = 0;  // of this life, never 0
  bool boosted = false;     // may use more of the CPU until SiloLauncher::settle()
  int listener = -1;        // borrowed until start() has resolved

  bool operator==(const SiloPlan&) const = default;
};

// Equal for plans whose silos cannot be told apart from within: one that runs need not be
// restarted for what only others look at (routes, health, idle time).
std::string fingerprint(const SiloPlan& plan);

}  // namespace granary::agent
