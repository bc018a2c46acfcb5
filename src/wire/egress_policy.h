// Where accounts may connect to outside of their silos: a target as a manifest names it, and the
// policy that control publishes for all accounts as one file, written whole and renamed into
// place, and that the egress role enforces. Value types and pure functions; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "wire/ordinals.h"

namespace granary::wire {

// What may be connected to: a host by its name, never by its address, at one port.
struct EgressTarget {
  std::string host;  // lower case, no dot at its end
  std::uint16_t port = 0;
  bool operator==(const EgressTarget&) const = default;
};

// "API.example.com.:443" is api.example.com at 443. Errors: InvalidArgument; the message says what
// is wrong with the text, to stand behind its name ("names an address").
base::Result<EgressTarget> parse_egress_target(std::string_view text);
// "api.example.com:443", by which targets are compared.
std::string to_string(const EgressTarget& target);

struct EgressAccount {
  base::AccountId account;
  std::uint32_t ordinal = 0;  // tells its user on this machine
  std::uint32_t list = 0;     // index into EgressPolicy::lists
  bool operator==(const EgressAccount&) const = default;
};

// Where a program in a silo finds the proxy: on its own loopback.
inline constexpr std::uint16_t kEgressPort = 3128;

// Accounts that are not named here may connect to nothing.
struct EgressPolicy {
  std::vector<std::vector<std::string>> lists;  // of targets as to_string() writes them
  std::vector<EgressAccount> accounts;
  // Accounts that are no more: whatever is kept of them is to go. One that may only connect to
  // nothing for now (suspended, or by its release) is neither here nor above.
  OrdinalRanges gone;
  bool operator==(const EgressPolicy&) const = default;
};

// 10,000 accounts are about 500 KB; the bound only keeps a damaged file from filling the memory.
inline constexpr std::size_t kMaxEgressPolicy = 64U << 20;

std::string encode(const EgressPolicy& policy);
// Errors: InvalidArgument for whatever is not exactly a policy of this version, with the member;
// Exhausted over kMaxEgressPolicy.
base::Result<EgressPolicy> decode_egress_policy(std::string_view text);

}  // namespace granary::wire
